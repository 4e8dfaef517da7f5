"""What may be announced, and how."""

from typing import assert_type

from signals import PageViewed
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, async_scoped_session
from sqlalchemy.orm import Session, scoped_session

from oyez.producers import Announcer, AsyncAnnouncer, MemoryBroker, MemoryTransport, visitor_session
from oyez.schemas import Event


def announce(announcer: Announcer, event: Event[PageViewed]) -> None:
    assert_type(announcer.announce(PageViewed(session_id="s1", url="/")), str)
    assert_type(announcer.announce(3, {"session_id": "s1", "url": "/"}), str)
    assert_type(announcer.announce("page.viewed", {"url": "/"}, key="s1"), str)
    assert_type(event.data, PageViewed)
    assert_type(event.data.url, str)
    assert_type(event.key, str | None)


def announce_with_a_transaction(
    announcer: Announcer,
    session: Session,
    connection: Connection,
    scoped: scoped_session[Session],
    asynchronous: AsyncSession,
) -> None:
    announcer.announce(3, {"url": "/"}, db=session)
    announcer.announce(3, {"url": "/"}, db=connection)
    announcer.announce(3, {"url": "/"}, db=scoped)
    announcer.announce(3, {"url": "/"}, db=asynchronous)  # type: ignore[arg-type]  # that is an AsyncAnnouncer's


def make() -> None:
    with Announcer(MemoryTransport(MemoryBroker()), source="web-1") as announcer, visitor_session("s1"):
        announcer.announce("page.viewed", {"url": "/"})
    announcer.announce(["page.viewed"])  # type: ignore[arg-type]  # a list is no signal
    announcer.announce("page.viewed", {"url": "/"}, key=1)  # type: ignore[arg-type]  # keys are text
    PageViewed(session_id="s1")  # type: ignore[call-arg]  # the url is missing
    PageViewed(session_id="s1", url=3)  # type: ignore[arg-type]  # an url is text


async def announce_in_asyncio(
    announcer: AsyncAnnouncer,
    session: AsyncSession,
    connection: AsyncConnection,
    scoped: async_scoped_session[AsyncSession],
    blocking: Connection,
) -> None:
    assert_type(await announcer.announce(PageViewed(session_id="s1", url="/")), str)
    assert_type(await announcer.announce("page.viewed", b'{"url": "/"}', key="s1"), str)
    await announcer.announce(3, {"url": "/"}, db=session)
    await announcer.announce(3, {"url": "/"}, db=connection)
    await announcer.announce(3, {"url": "/"}, db=scoped)
    await announcer.announce(3, {"url": "/"}, db=blocking)  # type: ignore[arg-type]  # it would block the loop
    await announcer.announce(["page.viewed"])  # type: ignore[arg-type]  # a list is no signal


async def make_in_asyncio() -> None:
    async with AsyncAnnouncer(MemoryTransport(MemoryBroker()), source="web-1") as announcer:
        assert_type(announcer, AsyncAnnouncer)
        assert_type(announcer.announced, int)
    async with AsyncAnnouncer.from_settings() as made:
        assert_type(made, AsyncAnnouncer)
    await announcer.aclose(timeout=5)
