"""Tests of a small application, as its author would write them."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, assert_type
from unittest import TestCase

import pytest
from handling import count_view, on
from signals import PageViewed, SessionStarted

from oyez.consumers.testing import (
    DeadDelivery,
    Kit,
    ParkedDelivery,
    QueuedMail,
    Ran,
    ScheduledEvent,
    Services,
    kit,
    live_kit,
)
from oyez.producers import Announcer


@pytest.fixture
def shop() -> Iterator[Kit]:
    with kit(on, max_attempts=3) as made:
        yield made


@pytest.mark.oyez("handling:on", max_attempts=3)
def test_views(oyez: Kit) -> None:
    assert_type(oyez.announce(PageViewed(session_id="s1", url="/"), source="web-2"), str)
    assert_type(oyez.announce("session.started", {"session_id": "s1", "visitor_id": "v"}), str)
    oyez.fail(count_view, ValueError("no"), times=2, when=lambda view: view.url == "/")
    oyez.fail("count_view", ValueError, times=None)
    oyez.mend(count_view)
    assert_type(oyez.run(), Ran)
    assert_type(oyez.run(order="any", seed=3).handled, int)
    oyez.advance(5)
    assert_type(oyez.parked, list[ParkedDelivery])
    assert_type(oyez.dead, list[DeadDelivery])
    assert_type(oyez.scheduled, list[ScheduledEvent])
    with oyez.engine.begin() as db:
        oyez.announce(PageViewed(session_id="s1", url="/"), db=db, after=timedelta(1), expires=timedelta(1))
    assert_type(oyez.mails, list[QueuedMail])
    assert_type(oyez.mails[0].text, str | None)
    assert_type(oyez.query("SELECT 1"), list[tuple[Any, ...]])
    assert_type(oyez.announcer, Announcer)
    oyez.run(order="random")  # type: ignore[arg-type]  # no such order
    oyez.announce(["page.viewed"])  # type: ignore[arg-type]  # a list is no signal
    oyez.fail("count_view", "no")  # type: ignore[arg-type]  # no error
    oyez.fail("count_view", KeyboardInterrupt)  # type: ignore[arg-type]  # it would end the worker


async def test_in_asyncio(oyez: Kit) -> None:
    assert_type(await oyez.run_async(), Ran)


def test_live(oyez_services: Services) -> None:
    with live_kit(oyez_services, on) as oyez:
        oyez.announce(SessionStarted(session_id="s1", visitor_id="v"))


class ShopTest(TestCase):
    def setUp(self) -> None:
        self.oyez = self.enterContext(kit("handling:on", database="sqlite://"))
