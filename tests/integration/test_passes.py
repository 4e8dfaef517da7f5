"""Bounded passes over Kafka: they join, take partitions, read so many, commit and leave."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from confluent_kafka import ConsumerGroupState, Producer
from confluent_kafka.admin import AdminClient
from sqlalchemy import Connection, Engine, select, update

from consumers.pipeline import effects, note, prepare
from oyez.consumers import Application, Handlers, Listened, ListenSettings, NotReady
from oyez.consumers.database import make_engine
from oyez.consumers.database.tables import parked, position
from oyez.consumers.run.bounded_pass import one_pass
from oyez.producers import Announcer
from oyez.schemas import Catalogue, Signal
from support.services import unique

known = Catalogue()
EVENTS = 25


class Sold(Signal, name="sold", key="k", catalogue=known):
    k: str
    n: int


class Place:
    """A topic with events, a database, and an application with a group of each promise."""

    def __init__(self, kafka: str, topic: str, database: str) -> None:
        on = Handlers(unique("passes"), promises={"loose": "at-least-once"})

        @on(Sold)
        def sell(sold: Sold, db: Connection) -> None:
            note(db, "sell", sold.n)

        @on(Sold, group="loose", order="none")
        def index(sold: Sold, db: Connection) -> None:
            note(db, "index", sold.n)

        @on(Sold, group="late", order="none", completes=False)
        def wait(sold: Sold, db: Connection) -> None:
            if sold.n in self.waiting:
                raise NotReady
            note(db, "wait", sold.n)

        self.waiting = {0, 1, 2}
        self.application = Application(on, known)
        self.settings = ListenSettings(transport="kafka", kafka=kafka, topic=topic, database=database)
        self.engine: Engine = make_engine(database)
        self.admin = AdminClient({"bootstrap.servers": kafka})

    def announce(self, numbers: Iterable[int] = range(EVENTS)) -> None:
        with Announcer.from_settings(self.settings, catalogue=known, source="web") as announcer:
            for n in numbers:
                announcer.announce(Sold(k=f"k{n % 7}", n=n))

    def listen(self, group: str, limit: int) -> Listened:
        return one_pass([self.application.group(group)], self.settings, limit)

    def effects(self, handler: str) -> list[int]:
        with self.engine.connect() as db:
            return sorted(db.execute(select(effects.c.n).where(effects.c.handler == handler)).scalars())

    def positions(self, group: str) -> int:
        name = self.application.group(group).name
        with self.engine.connect() as db:
            return sum(db.execute(select(position.c.position).where(position.c.group_name == name)).scalars())

    def state(self, group: str) -> ConsumerGroupState:
        name = self.application.group(group).name
        return self.admin.describe_consumer_groups([name])[name].result().state


@pytest.fixture
def place(kafka: str, topic: str, sqlite: str) -> Iterator[Place]:
    prepare(sqlite)
    made = Place(kafka, topic, sqlite)
    made.announce()
    yield made
    made.engine.dispose()


def test_a_pass_handles_so_many_and_leaves_and_the_next_goes_on(place: Place) -> None:
    assert place.listen("sold", 10) == Listened(10, 15, 0)
    assert len(place.effects("sell")) == 10
    assert place.positions("sold") == 10
    assert place.state("sold") == ConsumerGroupState.EMPTY
    assert place.listen("sold", 100) == Listened(15, 0, 0)
    assert place.effects("sell") == list(range(EVENTS))
    assert place.listen("sold", 100) == Listened(0, 0, 0)


def test_an_at_least_once_group_tells_its_offsets_before_it_leaves(place: Place) -> None:
    """Otherwise the next pass would handle the same events again."""
    assert place.listen("loose", 10) == Listened(10, 15, 0)
    assert place.listen("loose", 100) == Listened(15, 0, 0)
    assert place.effects("index") == list(range(EVENTS))


@pytest.mark.parametrize("group", ["sold", "loose"])
def test_passes_end_where_the_log_ends_in_an_aborted_transaction(
    place: Place, topic: str, group: str
) -> None:
    assert place.listen(group, 100) == Listened(EVENTS, 0, 0)
    other = Producer({"bootstrap.servers": place.settings.kafka, "transactional.id": unique("t")})
    other.init_transactions()
    other.begin_transaction()
    for number in range(4):
        other.produce(topic, b"of another maker", partition=number)
    other.flush()
    other.abort_transaction()
    assert place.listen(group, 100) == Listened(0, 0, 0), "a loop until nothing remains ends"
    place.announce(range(EVENTS, EVENTS + 5))
    assert place.listen(group, 100) == Listened(5, 0, 0)


def test_passes_side_by_side_handle_nothing_twice(place: Place) -> None:
    """What a pass leaves when its partitions are dealt anew is the next one's."""
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda _: place.listen("sold", 100), range(2)))
    done.append(place.listen("sold", 100))
    assert sum(one.handled for one in done) == EVENTS
    assert place.effects("sell") == list(range(EVENTS))


def test_what_is_left_is_known_when_the_retry_table_took_all_the_room(place: Place) -> None:
    """The log is not read then, but asked."""
    assert place.listen("late", 100) == Listened(22, 0, 3)
    place.announce(range(25, 30))
    place.waiting.clear()
    with place.engine.begin() as db:
        db.execute(update(parked).values(due_at=1.0))
    assert place.listen("late", 3) == Listened(3, 5, 0)
    assert place.listen("late", 100) == Listened(5, 0, 0)
    assert place.effects("wait") == list(range(30))
