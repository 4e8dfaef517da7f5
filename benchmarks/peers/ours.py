"""Oyez at the same: a do-nothing handler in an at-least-once group; or exactly once, one INSERT for each event."""

from __future__ import annotations

from sqlalchemy import Column, Connection, Integer, MetaData, Table, Text, insert
from work import Order, Timed, run

from oyez.consumers import Application, Handlers, ListenSettings
from oyez.consumers.database import make_engine
from oyez.consumers.run.assembly import log_for, make_worker
from oyez.schemas import Signal

EFFECT = Table("effect", MetaData(), Column("session_id", Text), Column("n", Integer))
INSERT = insert(EFFECT)


class Viewed(Signal, name="page.viewed", number=3, key="session_id"):
    session_id: str
    url: str
    n: int


def _main(order: Order, timed: Timed) -> None:
    promise = "exactly-once" if order.inserts else "at-least-once"
    on = Handlers(order.group, promises={"all": promise})
    numbers: list[int] = []
    note = numbers.append

    def handle(view: Viewed) -> None:
        timed.begin()
        note(view.n)

    def write(view: Viewed, db: Connection) -> None:
        timed.begin()
        db.execute(INSERT, {"session_id": view.session_id, "n": view.n})
        note(view.n)

    on(Viewed, group="all", order="none")(write if order.inserts else handle)
    engine = make_engine(order.database.replace("postgresql://", "postgresql+psycopg://"))
    settings = ListenSettings(kafka=order.kafka, topic=order.topic, transport="kafka")
    group = Application(on).group("all")
    worker = make_worker(group, settings, engine=engine, source=log_for(group, settings, engine))
    while not timed.is_all:
        worker.step()
        if numbers:
            timed.handled(numbers)
            numbers.clear()
    worker.leave()


if __name__ == "__main__":
    run(_main)
