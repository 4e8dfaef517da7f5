"""What is announced at once shares one flush; each announce() ends as its own event does."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

import pytest

from oyez.producers import AsyncAnnouncer, NotAnnounced, TransportRefused, Undelivered
from oyez.schemas import Event
from producers.scripted import ScriptedTransport, TakesManyAtOnce, bound
from producers.shop import PageViewed, known
from support.waiting import soon

Told = list[tuple[str, str]]


def view(n: int) -> PageViewed:
    return PageViewed(session_id="s1", url=f"/{n}")


def announcer_on(transport: ScriptedTransport, told: Told | None = None) -> AsyncAnnouncer:
    def note(event: Event[Any], reason: str) -> None:
        if told is not None:
            told.append((event.data.url, reason))

    return AsyncAnnouncer(transport, source="web-1", catalogue=known, on_undelivered=note)


async def outcomes(announcer: AsyncAnnouncer, count: int) -> list[Any]:
    return await asyncio.gather(*(announcer.announce(view(n)) for n in range(count)), return_exceptions=True)


@pytest.mark.parametrize("kind", [ScriptedTransport, TakesManyAtOnce])
def test_a_thousand_at_once_share_one_flush(kind: type[ScriptedTransport]) -> None:
    async def run() -> None:
        transport = kind()
        async with announcer_on(transport) as announcer:
            ids = await outcomes(announcer, 1000)
            assert transport.flushes == [1000]
            assert len(set(ids)) == announcer.announced == 1000
            assert ids == sorted(ids)
        assert transport.stored == [f"/{n}" for n in range(1000)]
        if isinstance(transport, TakesManyAtOnce):
            assert transport.calls == [1000]

    asyncio.run(run())


def test_what_comes_during_a_flush_shares_the_next() -> None:
    async def run() -> None:
        transport = ScriptedTransport()
        transport.may_flush.clear()
        async with announcer_on(transport) as announcer:
            first = asyncio.create_task(announcer.announce(view(0)))
            await soon(transport.is_flushing.is_set)
            others = [asyncio.create_task(announcer.announce(view(n))) for n in range(1, 11)]
            turns = 0
            while turns < 100:  # the loop goes on, turn by turn
                turns += 1
                await asyncio.sleep(0)
            assert not any(task.done() for task in (first, *others))
            transport.may_flush.set()
            await asyncio.gather(first, *others)
        assert transport.flushes == [1, 10]
        assert transport.stored == [f"/{n}" for n in range(11)]
        assert transport.threads == {"oyez-announcer"}

    asyncio.run(run())


@pytest.mark.parametrize("kind", [ScriptedTransport, TakesManyAtOnce])
def test_exactly_what_failed_raises(kind: type[ScriptedTransport]) -> None:
    async def run() -> None:
        transport, told = kind(), Told()
        transport.refused = {"/1": TransportRefused("the disk is full")}
        transport.lost = {"/3", "/4"}
        async with announcer_on(transport, told) as announcer:
            ended = await outcomes(announcer, 6)
            assert (announcer.announced, announcer.undelivered) == (5, 2)
        assert [type(one) for one in ended] == [str, NotAnnounced, str, Undelivered, Undelivered, str]
        assert str(ended[1]) == "page.viewed was not announced: the disk is full"
        assert ended[1].event.data == view(1)
        assert str(ended[3]) == "1 announced events did not arrive: lost on its way"
        assert [event.data for event in ended[4].events] == [view(4)]
        assert transport.stored == ["/0", "/2", "/5"]
        assert told == [("/3", "lost on its way"), ("/4", "lost on its way")]

    asyncio.run(run())


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (TransportRefused("the spool could not be forced to disk"), "the spool could not be forced to disk"),
        (OSError(5, "Input/output error"), r"OSError: \[Errno 5\] Input/output error"),
        (RuntimeError("two\nlines"), "RuntimeError: two lines"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
    ],
)
def test_a_flush_that_fails_raises_to_all_of_its_events_and_no_other(
    raised: BaseException, said: str
) -> None:
    async def run() -> None:
        transport = ScriptedTransport()
        async with announcer_on(transport) as announcer:
            transport.flush_raises = raised
            for one in await outcomes(announcer, 3):
                assert isinstance(one, Undelivered)
                assert one.count == len(one.events) == 1
                with pytest.raises(Undelivered, match=f"^1 announced events did not arrive: {said}"):
                    raise one
            transport.flush_raises = None
            assert isinstance(await announcer.announce(view(9)), str)
        assert transport.stored == ["/9"]

    asyncio.run(run())


@pytest.mark.parametrize("raised", [ValueError("odd"), KeyboardInterrupt(), StopIteration("odd")])
def test_what_else_a_transport_raises_is_raised_to_whoever_announced_that(raised: BaseException) -> None:
    expected = RuntimeError if isinstance(raised, StopIteration) else type(raised)

    async def run() -> None:
        transport = ScriptedTransport()
        transport.refused = {"/1": raised}
        announcer = announcer_on(transport)
        tasks = [asyncio.ensure_future(_ended(announcer, n)) for n in range(3)]
        assert [type(one) for one in await asyncio.gather(*tasks)] == [str, expected, str]
        await announcer.aclose()

    asyncio.run(run())


async def _ended(announcer: AsyncAnnouncer, n: int) -> object:
    try:
        return await announcer.announce(view(n))
    except BaseException as error:  # noqa: BLE001 # whatever it is, it is what is asked for
        return error


def test_many_at_once_that_end_in_an_error_are_all_in_doubt() -> None:
    async def run() -> None:
        transport = TakesManyAtOnce()
        transport.raises = ValueError("odd")
        async with announcer_on(transport) as announcer:
            assert [type(one) for one in await outcomes(announcer, 2)] == [ValueError, ValueError]
        assert transport.flushes == []

    asyncio.run(run())


def test_an_event_that_cannot_be_read_back_keeps_nobody_waiting() -> None:
    async def run() -> None:
        transport, told = ScriptedTransport(), Told()
        transport.refused = {"/1": TransportRefused("too large")}
        async with announcer_on(transport, told) as announcer:

            def read(value: bytes) -> Event[Any]:
                raise ValueError("odd")

            announcer._commits._read = read
            assert [type(one) for one in await outcomes(announcer, 3)] == [ValueError] * 3
            assert isinstance(await announcer.announce(view(9)), str)

    asyncio.run(run())


def test_what_did_not_arrive_and_cannot_be_read_leaves_all_in_doubt() -> None:
    async def run() -> None:
        transport = ScriptedTransport()
        async with announcer_on(transport) as announcer:
            transport.may_flush.clear()
            first = asyncio.create_task(announcer.announce(view(0)))
            await soon(transport.is_flushing.is_set)
            transport._report(b"not an event", "odd")
            transport.may_flush.set()
            with pytest.raises(Undelivered, match="an event that did not arrive cannot be read back"):
                await first

    asyncio.run(run())


async def _cancelled(tasks: list[asyncio.Task[str]]) -> None:
    for task in tasks:
        task.cancel()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(one, asyncio.CancelledError) for one in ended)


@pytest.mark.parametrize("when", ["before it is sent", "during the flush", "before announce() has begun"])
def test_whoever_is_cancelled_has_announced_all_the_same(when: str) -> None:
    async def run() -> None:
        transport, told = ScriptedTransport(), Told()
        transport.refused = {"/4": TransportRefused("too large")}
        async with announcer_on(transport, told) as announcer:
            transport.may_flush.clear()
            tasks = [asyncio.create_task(announcer.announce(view(n))) for n in range(6)]
            if when == "before it is sent":
                await asyncio.sleep(0)
            if when == "during the flush":
                await soon(transport.is_flushing.is_set)
            await _cancelled([tasks[1], tasks[4]])
            transport.may_flush.set()
            rest = await asyncio.gather(*(tasks[n] for n in (0, 2, 3, 5)))
            assert all(isinstance(one, str) for one in rest)
            has_begun = when != "before announce() has begun"
            await soon(lambda: told == ([("/4", "too large")] if has_begun else []))
            assert announcer.undelivered == len(told)
        there = range(6) if has_begun else (0, 2, 3, 5)
        assert transport.stored == [f"/{n}" for n in there if n != 4]

    asyncio.run(run())


def test_an_answer_that_comes_with_the_cancelling_is_told() -> None:
    """The future has its error already when the task that waits for it is cancelled: nobody else hears of it."""

    async def run() -> None:
        transport, told = ScriptedTransport(), Told()
        transport.refused = {"/0": TransportRefused("too large")}
        async with announcer_on(transport, told) as announcer:
            settle: Callable[..., None] = announcer._commits._settle

            def settle_and_cancel(*given: Any) -> None:
                settle(*given)
                task.cancel()

            announcer._commits._settle = settle_and_cancel  # type: ignore[method-assign]
            task = asyncio.create_task(announcer.announce(view(0)))
            with pytest.raises(asyncio.CancelledError):
                await task
            assert told == [("/0", "too large")]

    asyncio.run(run())


def test_whoever_closes_may_take_what_a_late_pass_was_about_to() -> None:
    """The thread and the one that closes may both look: each event is taken by one of them."""

    class Taken(deque[Any]):
        def __len__(self) -> int:
            return super().__len__() + 1  # as it was before another took one

    async def run() -> None:
        transport = ScriptedTransport()
        async with announcer_on(transport) as announcer:
            announcer._commits._pending = Taken()
            assert isinstance(await asyncio.wait_for(announcer.announce(view(0)), 60), str)
            assert transport.stored == ["/0"]

    asyncio.run(run())


def test_each_event_is_sent_in_the_context_of_whoever_announced_it() -> None:
    async def announce(announcer: AsyncAnnouncer, n: int) -> None:
        bound.set(f"request {n}")
        await announcer.announce(view(n))

    async def run() -> None:
        transport = ScriptedTransport()
        async with announcer_on(transport) as announcer:
            await asyncio.gather(*(announce(announcer, n) for n in range(3)))
        assert transport.contexts == ["request 0", "request 1", "request 2"]

    asyncio.run(run())
