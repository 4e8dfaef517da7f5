"""What is announced later leaves when it is due, once, in the order of its moments; what is canceled never does."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, select

from consumers.outbox.outbox_pipeline import OutboxPipeline, Sailed
from oyez.consumers.database import Database, scheduled, tables
from oyez.consumers.database.scheduled import ScheduledFilter
from oyez.producers import NotAnnounced
from oyez.producers.errors import TransportRefused
from oyez.producers.outbox import Outbox
from oyez.schemas import InvalidEvent

BASE = 4_000_000_000.0  # s; later than any clock that asks


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(BASE + seconds, UTC)


@pytest.fixture
def port(pipeline_database: str) -> Iterator[OutboxPipeline]:
    made = OutboxPipeline(pipeline_database)
    made.clock.now = BASE
    yield made
    made.close()


def announce(port: OutboxPipeline, n: int, due: float, k: str | None = "k") -> str:
    with port.engine.begin() as db:
        return port._announcer.announce(Sailed(k=k, n=n), db=db, at=moment(due))


def test_it_leaves_when_it_is_due_in_the_order_of_its_moments(port: OutboxPipeline) -> None:
    for n, due in enumerate((30, 10, 20, 10)):
        announce(port, n, due)
    assert (port.relay().run().due_in, port.arrived()) == (10.0, [])
    port.clock.now = BASE + 20
    assert port.relay(batch=1).run().due_in == 10.0
    assert port.arrived() == [1, 3, 2]
    port.clock.now = BASE + 30
    assert port.relay().run().due_in is None
    assert (port.arrived(), port.left()) == ([1, 3, 2, 0], [])


def test_its_time_is_the_moment_and_its_id_the_first(port: OutboxPipeline) -> None:
    made = announce(port, 1, 10)
    port.clock.now = BASE + 60
    port.relay().run()
    event = json.loads(port.broker.read("sea", 0, 0, 1)[0].value() or b"")
    assert (event["id"], event["time"]) == (made, "2096-10-02T07:06:50.000000Z")


def test_what_is_due_already_is_announced_at_once(port: OutboxPipeline) -> None:
    with port.engine.begin() as db:
        for when in (
            {"at": datetime(2020, 1, 1, tzinfo=UTC)},
            {"after": timedelta(0)},
            {"after": timedelta(-1)},
        ):
            port._announcer.announce(Sailed(), db=db, **when)
    assert len(port.left()) == 3


def test_a_rollback_takes_it_back(port: OutboxPipeline) -> None:
    with port.engine.connect() as db:
        port._announcer.announce(Sailed(), db=db, after=timedelta(days=1))
    assert port.relay().run().due_in is None


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ({"at": datetime(2096, 1, 1)}, "has no zone"),  # noqa: DTZ001 # that is what is refused
        ({"at": moment(0), "after": timedelta(1)}, "give one of them"),
        ({"after": 5}, "must be a timedelta"),
        ({"at": "tomorrow"}, "must be a datetime"),
        ({"after": timedelta.max}, "later than the year 9999"),
    ],
)
def test_what_does_not_say_when_is_refused(port: OutboxPipeline, when: Any, said: str) -> None:
    with port.engine.connect() as db, pytest.raises(InvalidEvent, match=said):
        port._announcer.announce(Sailed(), db=db, **when)


def test_without_a_database_it_says_what_to_give(port: OutboxPipeline) -> None:
    with pytest.raises(NotAnnounced, match="give db="):
        port._announcer.announce(Sailed(), after=timedelta(1))


def test_the_error_has_the_event_as_it_was_to_be_announced(
    port: OutboxPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_given: object) -> None:
        raise TransportRefused("no")

    monkeypatch.setattr(Outbox, "schedule_in", refuse)
    with port.engine.begin() as db, pytest.raises(NotAnnounced) as refused:
        port._announcer.announce(Sailed(), db=db, at=moment(60), expires=timedelta(seconds=5))
    assert refused.value.event.time == moment(60)
    assert refused.value.event.expires == moment(65)


class _DiedError(BaseException):
    """The process ends here."""


STEP = st.one_of(
    st.tuples(st.just("schedule"), st.integers(0, 9)),
    st.tuples(st.just("cancel"), st.integers(0, 30)),
    st.tuples(st.just("pass"), st.integers(1, 4)),
    st.tuples(st.just("die"), st.integers(0, 2)),
    st.tuples(st.just("wait"), st.integers(0, 4)),
)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(STEP, max_size=14))
def test_whatever_dies_each_leaves_once_or_is_canceled(
    port: OutboxPipeline, steps: list[tuple[str, int]]
) -> None:
    """Against a model: a list of what is to leave, by moment and then by number."""
    _empty(port)
    begun, model, expected, n = len(port.arrived()), dict[int, float](), list[int](), 0
    ids: dict[int, str] = {}
    for kind, size in steps:
        if kind == "schedule":
            due = port.clock.now - BASE + 1 + size
            ids[n], model[n] = announce(port, n, due), due
            n += 1
        elif kind == "wait":
            port.clock.now += size
        elif kind == "cancel" and size in model:
            with port.engine.begin() as db:
                numbers = scheduled.chosen(db, ScheduledFilter(events=(ids[size],)))
                assert scheduled.remove(db, numbers) == 1
            del model[size]
        elif kind == "die":
            with pytest.raises(_DiedError):
                _die_releasing(port, size + 1)
        elif kind == "pass":
            port.relay(batch=size).run()
            gone = sorted((due, one) for one, due in model.items() if due <= port.clock.now - BASE)
            expected += [one for _, one in gone]
            model = {one: due for one, due in model.items() if due > port.clock.now - BASE}
    assert port.arrived()[begun:] == expected
    port.clock.now += 20
    port.relay().run()
    assert port.arrived()[begun:] == expected + [
        one for _, one in sorted((due, one) for one, due in model.items())
    ]


def _die_releasing(port: OutboxPipeline, most: int) -> None:
    with port.engine.begin() as db:
        scheduled.release(db, port.clock.now, most)
        raise _DiedError


def _empty(port: OutboxPipeline) -> None:
    port.clock.now = BASE
    with port.engine.begin() as db:
        db.execute(delete(tables.scheduled))
        db.execute(delete(tables.outbox))


def test_two_releasers_move_each_once_and_in_order(pipeline_postgres: str) -> None:
    """The second waits for the first: what it moves comes behind that."""
    port = OutboxPipeline(pipeline_postgres)
    for n in range(4):
        announce(port, n, n)
    with port.engine.connect() as first:
        assert scheduled.release(first, BASE + 10, 2) == 2
        second = threading.Thread(target=lambda: Database(port.engine).repeat(_move_two))
        second.start()
        first.commit()
        second.join(30)
    assert not second.is_alive()
    assert port.left() == [0, 1, 2, 3]
    port.close()


def _move_two(db: Connection) -> int:
    return scheduled.release(db, BASE + 10, 2)


@pytest.mark.parametrize("first", ["cancel", "release"])
def test_who_cancels_beside_a_release_is_told_the_truth(pipeline_postgres: str, first: str) -> None:
    port = OutboxPipeline(pipeline_postgres)
    announce(port, 0, 0)
    with port.engine.connect() as db:
        number = db.execute(select(tables.scheduled.c.id)).scalar_one()
    moves = {
        "cancel": lambda db: scheduled.remove(db, [number]),
        "release": lambda db: scheduled.release(db, BASE, 5),
    }
    other = "release" if first == "cancel" else "cancel"
    done: list[int] = []
    with port.engine.connect() as db:
        assert moves[first](db) == 1
        beside = threading.Thread(target=lambda: done.append(Database(port.engine).repeat(moves[other])))
        beside.start()
        db.commit()
        beside.join(30)
    assert done == [0]
    assert port.left() == ([] if first == "cancel" else [0])
    port.close()


def test_an_age_is_reckoned_from_the_moment_that_is_given() -> None:
    assert ScheduledFilter(key="k", within=60.0).by(1_000.0) == ScheduledFilter(key="k", before=1_060.0)
    assert ScheduledFilter(before=5.0).by(1_000.0) == ScheduledFilter(before=5.0)
