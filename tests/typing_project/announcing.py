"""What may be announced, and how."""

from typing import assert_type

from signals import PageViewed

from oyez.producers import Announcer, MemoryBroker, MemoryTransport, visitor_session
from oyez.schemas import Event


def announce(announcer: Announcer, event: Event[PageViewed]) -> None:
    assert_type(announcer.announce(PageViewed(session_id="s1", url="/")), str)
    assert_type(announcer.announce(3, {"session_id": "s1", "url": "/"}), str)
    assert_type(announcer.announce("page.viewed", {"url": "/"}, key="s1"), str)
    assert_type(event.data, PageViewed)
    assert_type(event.data.url, str)
    assert_type(event.key, str | None)


def make() -> None:
    with Announcer(MemoryTransport(MemoryBroker()), source="web-1") as announcer, visitor_session("s1"):
        announcer.announce("page.viewed", {"url": "/"})
    announcer.announce(["page.viewed"])  # type: ignore[arg-type]  # a list is no signal
    announcer.announce("page.viewed", {"url": "/"}, key=1)  # type: ignore[arg-type]  # keys are text
    PageViewed(session_id="s1")  # type: ignore[call-arg]  # the url is missing
    PageViewed(session_id="s1", url=3)  # type: ignore[arg-type]  # an url is text
