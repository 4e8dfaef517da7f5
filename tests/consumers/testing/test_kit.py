"""The kit runs handlers as a worker does, and says what is left."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from consumers.testing.cafe import (
    Cleared,
    Cooked,
    Opened,
    Ordered,
    Rung,
    echo,
    hear,
    hum,
    noted,
    on,
    rung,
    signals,
    tables,
)
from oyez.consumers import Application
from oyez.consumers.database import make_engine
from oyez.consumers.execution.delivery import Delivery
from oyez.consumers.handlers.registry import Handler
from oyez.consumers.testing import Kit, NotForTests, kit
from oyez.consumers.tracing.watched import watched
from oyez.schemas import InvalidEvent, UnknownSignal


def test_handlers_of_each_kind_run_to_the_end(oyez: Kit) -> None:
    for n in range(1, 4):
        oyez.announce(Ordered(table="7", n=n), source="web-2")
    oyez.announce("table.opened", {"table": "7", "guest": "g1"})
    oyez.announce(Rung(n=5))
    ran = oyez.run()
    assert ran, ran
    assert noted(oyez, "lay") == [7]
    assert {name: noted(oyez, name) for name in ("take", "count")} == {
        "take": [1, 1, 2, 2, 3, 3],
        "count": [1, 2, 3],
    }
    assert [sorted(noted(oyez, name)) for name in ("serve", "wash")] == [[1, 2, 3]] * 2
    assert sorted(rung) == [("echo", 5), ("hear", 5), ("hum", 5)]
    assert [(mail.handler, mail.subject, mail.text, mail.html) for mail in oyez.mails] == [
        ("judge", f"Order {n}", "Please\n", "<p>Please</p>\n") for n in (1, 2, 3)
    ]
    assert oyez.query("SELECT source FROM done WHERE source LIKE 'web%'") == [("web-2",)] * 3


def test_what_is_left_says_what_it_waits_for(oyez: Kit) -> None:
    oyez.announce(Ordered(table="7", n=1))
    oyez.announce(Ordered(table="7", n=2))
    oyez.announce(Ordered(table="8", guest="g2", n=91))
    ran = oyez.run()
    assert not ran
    (first, second, *_) = [one for one in oyez.parked if one.handler == "take"]
    assert (first.state, first.data) == ("waiting", Ordered(table="7", n=1))
    assert first.waits_for is not None
    assert (first.waits_for.signal, first.waits_for.subject) == ("table.opened", "7")
    assert (second.state, second.key, second.waits_for) == ("behind", "g1", None)
    assert (
        repr(first) == "<take: table.ordered Ordered(table='7', guest='g1', n=1) waits for table.opened '7'>"
    )
    assert repr(second).endswith(" stands behind an earlier event of 'g1'>")
    assert repr(first) in repr(ran)
    oyez.announce(Opened(table="7"))
    oyez.announce(Opened(table="8"))
    assert not oyez.run()
    assert oyez.parked == []
    (dead,) = oyez.dead
    assert (dead.handler, dead.reason) == ("judge", "rejected by its handler")
    assert repr(dead).endswith(" was given up: rejected by its handler>")


def test_what_handlers_ask_for_by_raising(oyez: Kit) -> None:
    oyez.announce(Opened(table="7"))
    oyez.announce(Ordered(table="7", n=90))
    oyez.announce(Ordered(table="7", guest="g2", n=92))
    oyez.run()
    waiting, later = oyez.parked
    assert waiting.waits_for is not None
    assert waiting.waits_for.subject == "other"
    assert (later.state, later.due_in, later.attempts) == ("due", 600, 1)
    oyez.advance(599)
    oyez.run()
    assert [one.attempts for one in oyez.parked if one.state == "due"] == [1]
    oyez.advance(1)
    oyez.run()
    assert [one.attempts for one in oyez.parked if one.state == "due"] == [2]


def test_what_was_announced_is_there_whoever_listens(oyez: Kit) -> None:
    oyez.announce(Opened(table="7"))
    oyez.announce(Ordered(table="7", n=1), source="web-2")
    oyez.announcer.announce(Cleared(table="7"))
    said = [(event.signal, event.source) for event in oyez.announced]
    assert said == [("table.opened", "test"), ("table.ordered", "web-2"), ("table.cleared", "test")]
    assert oyez.run(order="any")
    assert [event.signal for event in oyez.announced] == [*(name for name, _ in said), "dish.cooked"]
    assert oyez.announced[-1].data == Cooked(n=1)
    assert oyez.announced[0].time is not None
    assert oyez.announced[0].time.timestamp() == pytest.approx(oyez.clock.now)


def test_time_passes_only_when_told(oyez: Kit) -> None:
    before = oyez.clock.now
    oyez.announce(Ordered(table="7"))
    oyez.run()
    assert oyez.clock.now == before
    with pytest.raises(ValueError, match="0 or more"):
        oyez.advance(-1)
    oyez.advance(86_401)
    oyez.run()
    assert oyez.parked == []
    assert {one.reason.split(":")[0] for one in oyez.dead} == {"never met"}


def test_what_is_handled_is_forgotten_in_time(oyez: Kit) -> None:
    oyez.announce(Opened(table="7"))
    assert oyez.run()
    assert oyez.query("SELECT count(*) FROM oyez_inbox") == [(1,)]
    oyez.advance(15 * 86_400)
    assert oyez.run()
    assert oyez.query("SELECT count(*) FROM oyez_inbox") == [(0,)]


def test_what_may_not_be_announced_is_refused(oyez: Kit) -> None:
    with pytest.raises(InvalidEvent):
        oyez.announce(Cooked, {"n": "many"})
    with pytest.raises(UnknownSignal):
        oyez.announce("table.painted", {})
    assert oyez.run().handled == 0


def test_an_order_that_is_none(oyez: Kit) -> None:
    with pytest.raises(ValueError, match="'announced' or 'any'"):
        oyez.run(order="random")  # type: ignore[arg-type]


def test_it_runs_beside_an_event_loop(oyez: Kit) -> None:
    async def scenario() -> int:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep(0)

        beside = asyncio.create_task(tick())
        oyez.announce(Cooked(n=1))
        assert await oyez.run_async()
        beside.cancel()
        return ticks

    assert asyncio.run(scenario()) > 1
    assert noted(oyez, "serve") == [1]


def test_a_kit_of_an_application_that_is_made(oyez: Kit) -> None:
    with kit(Application(on, signals), max_attempts=1) as other:
        assert other.settings.max_attempts == 1
        other.announce(Rung(n=1))
        assert other.run()
        assert not oyez.run().handled


def test_a_database_that_was_named_is_left_as_it_was(pipeline_postgres: str) -> None:
    for _ in range(2):
        with kit(on, signals=signals, database=pipeline_postgres) as oyez:
            tables.drop_all(oyez.engine)
            tables.create_all(oyez.engine)
            oyez.announce(Ordered(table="7", n=1))
            assert not oyez.run()
            oyez.announce(Opened(table="7"))
            assert oyez.run()
            assert noted(oyez, "count") == [1]


def test_what_is_scheduled_is_due_by_the_clock_of_the_kit(pipeline_database: str) -> None:
    """Whatever time it is for the server: the kit's is a day ahead, and passes as it is told."""
    with kit(on, signals=signals, database=pipeline_database) as oyez:
        tables.drop_all(oyez.engine)
        tables.create_all(oyez.engine)
        oyez.advance(86_400)
        with oyez.engine.begin() as db:
            oyez.announcer.announce(Opened(table="7"), db=db, after=timedelta(hours=1))
            oyez.announcer.announce(
                Opened(table="8"), db=db, at=datetime.fromtimestamp(oyez.clock.now + 7_199, UTC)
            )
        (due,) = oyez.query("SELECT min(due_at) FROM oyez_scheduled")[0]
        assert due == pytest.approx(oyez.clock.now + 3_600, abs=1e-3)
        assert not oyez.run().handled
        oyez.advance(3_600)
        assert (oyez.run().handled, noted(oyez, "lay")) == (1, [7])
        oyez.advance(3_600)
        assert (oyez.run().handled, noted(oyez, "lay")) == (1, [7, 8])


def test_a_database_that_is_in_use_is_refused(pipeline_sqlite: str) -> None:
    engine = make_engine(pipeline_sqlite)
    with engine.begin() as db:
        db.execute(
            text("INSERT INTO oyez_handler (app, handler, group_name, seen_at) VALUES ('a', 'h', 'g', 0)")
        )
    with (
        pytest.raises(
            NotForTests, match=r"pipeline.db has rows in oyez_handler, .* name one that only tests"
        ),
        kit(on, signals=signals, database=pipeline_sqlite),
    ):
        pass
    with engine.connect() as db:
        assert db.execute(text("SELECT count(*) FROM oyez_handler")).scalar_one() == 1
    engine.dispose()


def test_whoever_watches_the_calls_goes_on() -> None:
    seen: list[tuple[str, int]] = []

    @contextmanager
    def watch(handler: Handler, deliveries: Sequence[Delivery]) -> Iterator[None]:
        seen.append((handler.name, len(deliveries)))
        yield

    application = Application(on, signals).changed(partial(watched, watch=watch))
    with kit(application) as oyez:
        tables.create_all(oyez.engine)
        for function in (hear, echo, hum):
            oyez.fail(function, ValueError)
        oyez.announce(Rung(n=1))
        assert not oyez.run()
        assert seen == []
        oyez.advance(1)
        assert oyez.run()
    assert sorted(seen) == [("echo", 1), ("hear", 1), ("hum", 1)]


def test_a_mistake_in_a_statement_of_the_test_is_sqlalchemys_to_say(oyez: Kit) -> None:
    for ask in (oyez.query, oyez.execute):
        with pytest.raises(OperationalError, match="no such table: nope"):
            ask("SELECT * FROM nope")
