"""A process that handles events one by one, and prints how many seconds it took:

python each_process.py KIND KAFKA TOPIC DATABASE COUNT

It runs in the build before too, with what that one has.
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable

from bed import Services, consumer, read_all
from confluent_kafka import Message
from listening import Envelope, Ours, fresh
from signals import Viewed
from sqlalchemy import Column, Connection, Engine, Integer, MetaData, Table, Text, insert
from sqlalchemy.orm import Session, registry

from oyez.consumers import Handlers

BY_HAND = "-by-hand"
YOUNG = 50_000  # objects; as the workers of either build have it
EFFECT = Table("effect", MetaData(), Column("session_id", Text), Column("n", Integer, primary_key=True))
INSERT = insert(EFFECT)


class Effect:
    def __init__(self, session_id: str, n: int) -> None:
        self.session_id = session_id
        self.n = n


registry().map_imperatively(Effect, EFFECT)


def core(view: Viewed, db: Connection) -> None:
    db.execute(INSERT, {"session_id": view.session_id, "n": view.n})


def orm(view: Viewed, db: Session) -> None:
    db.add(Effect(view.session_id, view.n))


KINDS: dict[str, Callable[..., None]] = {"core": core, "orm": orm}


def main(kind: str, kafka: str, topic: str, url: str, count: str) -> None:
    engine = fresh(url)
    gc.freeze()
    gc.set_threshold(YOUNG)
    handler = KINDS[kind.removesuffix(BY_HAND)]
    run = _by_hand if kind.endswith(BY_HAND) else _ours
    print(run(handler, Services(kafka, url), topic, engine, int(count)))


def _ours(handler: Callable[..., None], services: Services, topic: str, engine: Engine, count: int) -> float:
    on = Handlers("each")
    on(Viewed, group="all")(handler)
    ours = Ours(on, "all", services, topic, engine)
    begun = time.perf_counter()
    ours.until_done(count)
    seconds = time.perf_counter() - begun
    ours.close()
    return seconds


def _by_hand(
    handler: Callable[..., None], services: Services, topic: str, engine: Engine, count: int
) -> float:
    client = consumer(services.kafka, topic)
    one = _in_session(handler, engine) if handler is orm else _in_connection(handler, engine)
    begun = time.perf_counter()
    left = [count]

    def handle(messages: list[Message]) -> None:
        for message in messages[: left[0]]:
            one(Envelope.model_validate_json(message.value()).data)
            client.commit(message, asynchronous=False)
            left[0] -= 1

    read_all(client, count, handle)
    seconds = time.perf_counter() - begun
    client.close()
    return seconds


def _in_connection(handler: Callable[..., None], engine: Engine) -> Callable[[Viewed], None]:
    db = engine.connect()

    def one(view: Viewed) -> None:
        with db.begin():
            handler(view, db)

    return one


def _in_session(handler: Callable[..., None], engine: Engine) -> Callable[[Viewed], None]:
    session = Session(engine)

    def one(view: Viewed) -> None:
        with session.begin():
            handler(view, session)

    return one


if __name__ == "__main__":
    main(*sys.argv[1:])
