"""Events that were announced and did not arrive are never silent."""

import logging
from typing import Any

import pytest

from oyez.producers import Announcer, Undelivered
from oyez.schemas import Event
from producers.shop import FailingTransport, PageViewed, known

VIEW = PageViewed(session_id="s1", url="/")


def failing(**options: Any) -> Announcer:
    return Announcer(FailingTransport(), source="web-1", catalogue=known, **options)


def test_flush_raises_what_failed_since_the_last_flush() -> None:
    announcer = failing()
    ids = [announcer.announce(VIEW), announcer.announce(VIEW)]
    with pytest.raises(Undelivered, match=r"^2 announced events did not arrive: broken$") as caught:
        announcer.flush()
    assert [event.id for event in caught.value.events] == ids
    assert caught.value.events[0].data == VIEW
    assert (announcer.announced, announcer.undelivered) == (2, 2)
    announcer.flush()
    announcer.announce(VIEW)
    with pytest.raises(Undelivered) as again:
        announcer.close()
    assert (again.value.count, announcer.undelivered) == (1, 3)
    announcer.close()


def test_each_failure_is_told_to_the_callback() -> None:
    told: list[tuple[Event[Any], str]] = []
    announcer = failing(on_undelivered=lambda event, reason: told.append((event, reason)))
    announced = announcer.announce(VIEW)
    with pytest.raises(Undelivered):
        announcer.close()
    assert [(event.id, reason) for event, reason in told] == [(announced, "broken")]


def test_without_a_callback_each_failure_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    announcer = failing()
    announced = announcer.announce(VIEW)
    with pytest.raises(Undelivered):
        announcer.close()
    assert f"event page.viewed {announced} (key s1) did not arrive: broken" in caplog.text


def test_a_callback_that_raises_loses_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def raising(event: Event[Any], reason: str) -> None:
        raise RuntimeError("boom")

    announcer = failing(on_undelivered=raising)
    announcer.announce(VIEW)
    announcer.announce(VIEW)
    with pytest.raises(Undelivered) as caught:
        announcer.close()
    assert caught.value.count == 2
    assert "boom" in caplog.text


def test_what_cannot_be_decoded_is_counted_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    transport = FailingTransport()
    announcer = Announcer(transport, source="web-1", catalogue=known)
    transport.taken.append(b"not an event")
    with caplog.at_level(logging.ERROR), pytest.raises(Undelivered, match="1 announced events"):
        announcer.close()
    assert "not an event" in caplog.text
