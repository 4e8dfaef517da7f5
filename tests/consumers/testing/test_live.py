"""The kit on a real Kafka and PostgreSQL is the same kit."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from consumers.testing import cafe
from consumers.testing.cafe import Cleared, Opened, Ordered, Rung, noted, rung
from oyez.consumers.testing import Kit, Services, live_kit


@pytest.fixture
def live(oyez_services: Services) -> Iterator[Kit]:
    cafe.rung.clear()
    with live_kit(oyez_services, cafe.on, signals=cafe.signals) as made:
        cafe.tables.create_all(made.engine)
        yield made


def test_all_that_the_other_one_can(live: Kit) -> None:
    live.fail("take", ValueError("as told"), when=lambda order: order.n == 1)
    for n in (1, 2):
        live.announce(Ordered(table="7", n=n), source="web-2")
    live.announce(Opened(table="7"))
    live.announce(Rung(n=5))
    assert not live.run()
    assert [(one.handler, one.state, one.attempts) for one in live.parked] == [
        ("take", "due", 1),
        ("take", "behind", 0),
    ]
    assert len(live.mails) == 2
    live.advance(1)
    assert live.run(), live.parked
    assert live.run().idle, "nothing was announced since"
    live.announce(Cleared(table="7"))
    assert live.run(), "nobody listens to it"
    assert noted(live, "take") == [1, 1, 2, 2]
    assert sorted(noted(live, "serve")) == sorted(noted(live, "wash")) == [1, 2]
    assert sorted(rung) == [("echo", 5), ("hear", 5), ("hum", 5)]
    with pytest.raises(ValueError, match="here Kafka decides"):
        live.run(order="any")


def test_what_is_scheduled_is_due_by_the_clock_of_the_kit(live: Kit) -> None:
    live.advance(86_400)
    with live.engine.begin() as db:
        live.announcer.announce(Opened(table="7"), db=db, after=timedelta(hours=1))
    assert not live.run().handled
    live.advance(3_600)
    assert (live.run().handled, noted(live, "lay")) == (1, [7])


def test_topics_that_signals_name_are_empty_again(oyez_services: Services) -> None:
    for _ in range(2):
        with live_kit(oyez_services, cafe.on, signals=cafe.signals) as made:
            cafe.tables.create_all(made.engine)
            made.announce("dish.cooked", {"n": 1})
            assert made.run()
            assert noted(made, "wash") == [1]
