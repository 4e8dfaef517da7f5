"""Announcing in asyncio, on a memory broker."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from oyez.producers import (
    AnnouncerClosed,
    AsyncAnnouncer,
    MemoryBroker,
    MemoryTransport,
    NotAnnounced,
    OtherLoop,
    Settings,
    visitor_session,
)
from oyez.producers.metrics import announced
from oyez.schemas import InvalidEvent, UnknownSignal
from producers.scripted import ScriptedTransport
from producers.shop import PageViewed, Ticked, events_in, known
from support.waiting import soon

VIEW = PageViewed(session_id="s1", url="/")


def async_memory_announcer(**options: Any) -> tuple[AsyncAnnouncer, MemoryBroker]:
    broker = MemoryBroker(partitions=1)
    said: dict[str, Any] = {"source": "web-1", "catalogue": known}
    return AsyncAnnouncer(MemoryTransport(broker), **(said | options)), broker


def test_by_object_name_number_and_class() -> None:
    async def run() -> None:
        announcer, broker = async_memory_announcer()
        async with announcer:
            ids = [
                await announcer.announce(VIEW),
                await announcer.announce("page.viewed", {"session_id": "s1", "url": "/"}),
                await announcer.announce(3, b'{"session_id": "s1", "url": "/"}'),
                await announcer.announce(PageViewed, {"url": "/"}, key="s1"),
            ]
            assert [event.id for event in events_in(broker)] == ids
            assert {(one.source, one.key, one.data) for one in events_in(broker)} == {("web-1", "s1", VIEW)}
            assert (announcer.source, announcer.announced, announcer.undelivered) == ("web-1", 4, 0)

    asyncio.run(run())


def test_the_visitor_session_is_that_of_the_task() -> None:
    async def visit(announcer: AsyncAnnouncer, who: str) -> None:
        with visitor_session(who):
            await asyncio.sleep(0)
            await announcer.announce(Ticked())

    async def run() -> None:
        announcer, broker = async_memory_announcer()
        async with announcer:
            await asyncio.gather(
                *(visit(announcer, f"s{n}") for n in range(20)), announcer.announce(Ticked())
            )
        found = [event.key for event in events_in(broker)]
        assert sorted(key for key in found if key) == sorted(f"s{n}" for n in range(20))
        assert found.count(None) == 1

    asyncio.run(run())


@pytest.mark.parametrize(
    ("given", "error"),
    [
        (("page.viewed", {"url": "/"}), InvalidEvent),
        (("nobody", {}), UnknownSignal),
        ((VIEW, {"url": "/"}), InvalidEvent),
    ],
)
def test_what_may_not_be_announced_is_an_error_at_once(given: Any, error: type[Exception]) -> None:
    """Before anything else happens: also while a flush is under way."""

    async def run() -> None:
        transport = ScriptedTransport()
        transport.may_flush.clear()
        async with AsyncAnnouncer(transport, source="web-1", catalogue=known) as announcer:
            first = asyncio.create_task(announcer.announce(VIEW))
            await soon(transport.is_flushing.is_set)
            with pytest.raises(error):
                announcer.announce(*given).send(None)
            transport.may_flush.set()
            await first

    asyncio.run(run())


def test_closing_waits_for_what_is_pending_and_later_calls_say_so() -> None:
    async def run() -> None:
        transport = ScriptedTransport()
        announcer = AsyncAnnouncer(transport, source="web-1", catalogue=known)
        tasks = [asyncio.create_task(announcer.announce(VIEW)) for _ in range(3)]
        await asyncio.sleep(0)
        await announcer.aclose()
        assert all(task.done() for task in tasks)
        assert transport.stored == ["/"] * 3
        assert transport.closed == 1
        await announcer.aclose()
        assert transport.closed == 1
        with pytest.raises(AnnouncerClosed, match=r"announce before aclose\(\), or make another one"):
            await announcer.announce(VIEW)

    asyncio.run(run())


def test_what_a_stuck_flush_leaves_over_is_refused_when_the_time_is_up() -> None:
    """Nobody waits for ever: neither for what is stuck, which ends with the transport, nor for what did not leave."""

    class Stuck(ScriptedTransport):
        def close(self, timeout: float) -> None:
            self.may_flush.set()

    async def run() -> None:
        transport = Stuck()
        transport.may_flush.clear()
        announcer = AsyncAnnouncer(transport, source="web-1", catalogue=known)
        stuck = asyncio.create_task(announcer.announce(VIEW))
        await soon(transport.is_flushing.is_set)
        late = asyncio.create_task(announcer.announce(VIEW))
        await asyncio.sleep(0)
        await announcer.aclose(0.05)
        assert isinstance(await stuck, str)
        with pytest.raises(NotAnnounced, match="the announcer was closed before it left") as caught:
            await late
        assert caught.value.event.data == VIEW

    asyncio.run(run())


def test_nobody_who_has_announced_nothing_needs_a_thread() -> None:
    async def run() -> None:
        announcer, _broker = async_memory_announcer()
        async with announcer:
            pass
        assert announcer._thread._thread is None

    asyncio.run(run())


def test_a_system_without_threads_is_an_error_for_each_event(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    async def run() -> None:
        announcer, broker = async_memory_announcer()
        with monkeypatch.context() as patched:
            patched.setattr(threading.Thread, "start", start)
            with pytest.raises(
                NotAnnounced, match="no thread can be started to send it: can't start new thread"
            ):
                await announcer.announce(VIEW)
        await announcer.announce(VIEW)
        assert len(events_in(broker)) == 1
        await announcer.aclose()

    asyncio.run(run())


def test_what_waits_when_no_thread_begins_any_more_leaves_as_it_is_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As at the end of an interpreter whose loop has not come to wake the thread."""
    announcer, broker = async_memory_announcer()
    monkeypatch.setattr(announcer, "_wake", lambda: None)

    async def begin() -> None:
        announcer.announce(VIEW).send(None)

    asyncio.run(begin())

    def start(self: threading.Thread) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", start)
        announcer._close(1.0)
    assert len(events_in(broker)) == 1


def test_it_may_be_made_before_its_loop_and_belongs_to_one() -> None:
    announcer, broker = async_memory_announcer()

    async def use() -> None:
        await announcer.announce(VIEW)

    asyncio.run(use())
    said = r"^this AsyncAnnouncer belongs to another event loop; make one in each loop: async with \S+ as announcer$"
    for wrong in (use, announcer.aclose, announcer.__aenter__):
        with pytest.raises(OtherLoop, match=said):
            asyncio.run(wrong())
    assert len(events_in(broker)) == 1


def test_made_in_a_loop_it_belongs_to_that() -> None:
    async def make() -> AsyncAnnouncer:
        return async_memory_announcer()[0]

    announcer = asyncio.run(make())
    with pytest.raises(OtherLoop):
        asyncio.run(announcer.announce(VIEW))


def test_from_settings(tmp_path: Path) -> None:
    said = Settings(transport="spool", spool=tmp_path, source="web-7", topic="things", flush_timeout=3)

    async def run() -> AsyncAnnouncer:
        async with AsyncAnnouncer.from_settings(said, catalogue=known) as announcer:
            await announcer.announce(VIEW)
        return announcer

    announcer = asyncio.run(run())
    assert (announcer.source, announcer._flush_timeout) == ("web-7", 3)
    (segment,) = (tmp_path / "things").glob("*.ndjson")
    assert '"url":"/"' in segment.read_text()


def test_its_events_are_counted_for_prometheus() -> None:
    pytest.importorskip("prometheus_client")

    async def run() -> None:
        announcer, _broker = async_memory_announcer()
        async with announcer:
            await announcer.announce(VIEW)
            found = {one.name: one.samples[0].value for one in announced(announcer).collect()}
        assert found == {"oyez_announced_events": 1, "oyez_undelivered_events": 0}

    asyncio.run(run())
