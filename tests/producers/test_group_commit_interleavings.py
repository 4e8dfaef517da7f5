"""Announcing, cancelling and flushes in any order: what announce() says is so, for each event, and nothing is lost,
doubled or misordered."""

from __future__ import annotations

import asyncio
import threading
from typing import Any, Literal

from hypothesis import given, settings
from hypothesis import strategies as st

from oyez.producers import AsyncAnnouncer, NotAnnounced, TransportRefused, Undelivered
from oyez.schemas import Event
from producers.scripted import ScriptedTransport, TakesManyAtOnce
from producers.shop import PageViewed, known
from support.waiting import soon

Fate = Literal["arrives", "is refused", "is lost"]
Step = tuple[str, Any]

announcing = st.tuples(st.just("announce"), st.sampled_from(["arrives", "arrives", "is refused", "is lost"]))
cancelling = st.tuples(st.just("cancel"), st.integers(0, 30))
turning = st.tuples(st.just("turn the loop"), st.integers(1, 3))
ending = st.tuples(st.just("let the flush end"), st.booleans())
steps = st.lists(st.one_of(announcing, announcing, cancelling, turning, ending), max_size=30)


class Gated:
    """A transport's flushes, ended by the test."""

    def __init__(self, transport: ScriptedTransport) -> None:
        self._transport = transport
        self._permits = threading.Semaphore(0)
        self._begun = self._ended = 0
        self._is_open = False
        self.in_doubt: set[str] = set()
        self._flush = transport.flush
        transport.flush = self.flush  # type: ignore[method-assign]

    def flush(self, timeout: float) -> None:
        self._begun += 1
        if not self._is_open:
            assert self._permits.acquire(timeout=60)
        try:
            self._flush(timeout)
        finally:
            self._ended += 1

    async def end(self, fails: bool) -> None:
        """End the flush that is under way, if there is one."""
        if self._begun == self._ended:
            return
        sent = set(self._transport.sent) - set(self._transport.stored) - self._transport.lost
        self._transport.flush_raises = TransportRefused("no answer") if fails else None
        self.in_doubt |= sent - self.in_doubt if fails else set()
        ended = self._ended
        self._permits.release()
        await soon(lambda: self._ended > ended)
        self._transport.flush_raises = None

    def open(self) -> None:
        self._is_open = True
        self._permits.release(100)


class Run:
    """One sequence of steps."""

    def __init__(self, transport: ScriptedTransport) -> None:
        self.transport = transport
        self.gated = Gated(transport)
        self.told: dict[str, str] = {}
        self.fates: list[Fate] = []
        self.begun: set[int] = set()
        self.tasks: list[asyncio.Task[str]] = []
        self.announcer = AsyncAnnouncer(transport, source="web-1", catalogue=known, on_undelivered=self._tell)

    def _tell(self, event: Event[Any], reason: str) -> None:
        assert event.data.url not in self.told, "told twice"
        self.told[event.data.url] = reason

    async def _announce(self, n: int) -> str:
        self.begun.add(n)
        return await self.announcer.announce(PageViewed(session_id="s1", url=f"/{n}"))

    async def do(self, step: Step) -> None:
        match step:
            case ("announce", fate):
                n = len(self.fates)
                if fate == "is refused":
                    self.transport.refused[f"/{n}"] = TransportRefused("no room")
                if fate == "is lost":
                    self.transport.lost.add(f"/{n}")
                self.fates.append(fate)
                self.tasks.append(asyncio.create_task(self._announce(n)))
            case ("cancel", n) if n < len(self.tasks):
                self.tasks[n].cancel()
            case ("turn the loop", times):
                for _ in range(times):
                    await asyncio.sleep(0)
            case ("let the flush end", fails):
                await self.gated.end(fails)

    async def end(self) -> list[str | BaseException]:
        self.gated.open()
        ended = await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.announcer.aclose()
        return ended


def judge(run: Run, ended: list[str | BaseException]) -> None:
    stored, told = run.transport.stored, run.told
    numbers = [int(one[1:]) for one in stored]
    assert numbers == sorted(set(numbers)), "doubled, or in another order than announced"
    for n, (fate, how) in enumerate(zip(run.fates, ended, strict=True)):
        url = f"/{n}"
        if n not in run.begun:
            assert isinstance(how, asyncio.CancelledError)
            assert url not in stored
            continue
        assert (url in stored) == (fate == "arrives" and url not in run.gated.in_doubt)
        if isinstance(how, str):
            assert url in stored, "announce() has returned"
        elif isinstance(how, asyncio.CancelledError):
            assert url in stored or url in told or url in run.gated.in_doubt, "lost without a word"
        elif fate == "is refused":
            assert isinstance(how, NotAnnounced)
            assert url not in told, "raised, so it need not be told"
        else:
            assert isinstance(how, Undelivered)
            assert fate == "is lost" or url in run.gated.in_doubt
            assert [one.data.url for one in how.events] == [url]
        if fate == "is lost":
            assert told[url] == "lost on its way"


def in_any_order(transport: ScriptedTransport, said: list[Step]) -> None:
    async def work() -> None:
        run = Run(transport)
        for step in said:
            await run.do(step)
        judge(run, await run.end())

    asyncio.run(work())


@settings(max_examples=150, deadline=None)
@given(steps)
def test_what_announce_says_is_so(said: list[Step]) -> None:
    in_any_order(ScriptedTransport(), said)


@settings(max_examples=100, deadline=None)
@given(steps)
def test_it_is_so_where_many_are_taken_at_once(said: list[Step]) -> None:
    in_any_order(TakesManyAtOnce(), said)
