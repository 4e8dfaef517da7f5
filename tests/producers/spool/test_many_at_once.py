"""Many events at once are one write and one fsync, and each is recorded or said not to be."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oyez.producers import AsyncAnnouncer, NotAnnounced, TransportRefused, Undelivered
from oyez.producers.spool import SpoolTransport, Writer
from oyez.producers.spool.syncing import FSYNC
from producers.shop import OrderPaid, PageViewed, known
from producers.spool.appending import lines_of, record


def announcer_at(path: Path, fsync: FSYNC) -> AsyncAnnouncer:
    transport = SpoolTransport(path, partial(Writer, fsync=fsync))
    return AsyncAnnouncer(transport, source="web-1", catalogue=known, on_undelivered=lambda *_: None)


def view(n: int, url: str = "") -> PageViewed:
    return PageViewed(session_id="s1", url=url or f"/{n}")


class Forced:
    """MOCK of `os.fsync`: it counts, and fails as long as it is told to."""

    def __init__(self) -> None:
        self.count = 0
        self.fails = False
        self._real = os.fsync

    def __call__(self, file: int) -> None:
        self.count += 1
        if self.fails:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        self._real(file)


@pytest.fixture
def forced(monkeypatch: pytest.MonkeyPatch) -> Forced:
    made = Forced()
    monkeypatch.setattr(os, "fsync", made)
    return made


@pytest.mark.parametrize("fsync", ["always", "interval"])
def test_a_thousand_at_once_are_forced_to_disk_once(tmp_path: Path, fsync: FSYNC, forced: Forced) -> None:
    async def run() -> None:
        async with announcer_at(tmp_path, fsync) as announcer:
            first = await announcer.announce(view(0))
            before = forced.count
            ids = await asyncio.gather(*(announcer.announce(view(n)) for n in range(1, 1001)))
            # The thread of `interval` may do it once more.
            assert 1 <= forced.count - before <= 2
        found = lines_of(tmp_path)
        assert [one.encode() in line for one, line in zip([first, *ids], found, strict=True)] == [True] * 1001

    asyncio.run(run())


def test_what_cannot_be_forced_to_disk_is_not_recorded_and_raises(tmp_path: Path, forced: Forced) -> None:
    async def run() -> None:
        async with announcer_at(tmp_path, "always") as announcer:
            await announcer.announce(view(0))
            forced.fails = True
            ended = await asyncio.gather(
                *(announcer.announce(view(n)) for n in (1, 2)), return_exceptions=True
            )
            for one in ended:
                assert isinstance(one, NotAnnounced)
                assert one.reason.endswith("Input/output error; nothing was recorded")
            forced.fails = False
            await announcer.announce(view(3))

    asyncio.run(run())
    assert [b'"/0"' in one or b'"/3"' in one for one in lines_of(tmp_path)] == [True, True]


def test_what_interval_cannot_force_to_disk_raises(tmp_path: Path, forced: Forced) -> None:
    async def run() -> None:
        async with announcer_at(tmp_path, "interval") as announcer:
            await announcer.announce(view(0))
            forced.fails = True
            with pytest.raises(Undelivered, match="could not be forced to disk: Input/output error"):
                await announcer.announce(view(1))
            forced.fails = False
            await announcer.announce(view(2))

    asyncio.run(run())


def test_a_topic_that_cannot_be_forced_to_disk_keeps_no_other_back(tmp_path: Path, forced: Forced) -> None:
    transport = SpoolTransport(tmp_path, partial(Writer, interval=3600.0))
    transport.send_many([("a", None, b"{}"), ("b", None, b"{}")])
    forced.count, forced.fails = 0, True
    with pytest.raises(TransportRefused, match=r"a could not be forced to disk: Input/output error"):
        transport.flush(1.0)
    assert forced.count == 2
    forced.fails = False
    transport.close(1.0)


def test_a_topic_that_cannot_be_written_to_fails_alone(tmp_path: Path) -> None:
    (tmp_path / "orders").write_text("a file is in the way")

    async def run() -> None:
        async with announcer_at(tmp_path, "interval") as announcer:
            good, bad = await asyncio.gather(
                announcer.announce(view(1)), announcer.announce(OrderPaid(order_id=1)), return_exceptions=True
            )
            assert isinstance(good, str)
            assert isinstance(bad, NotAnnounced)
            assert bad.event.data == OrderPaid(order_id=1)

    asyncio.run(run())


def test_what_finds_no_room_is_refused_and_the_rest_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MOCK of `os.write`: a disk with room for one megabyte, which cannot be had without being root."""
    real = os.write
    room = [1_500_000]

    def write(file: int, lines: bytes) -> int:
        written = real(file, lines[: room[0]])
        room[0] -= written
        return written

    async def run() -> None:
        async with announcer_at(tmp_path, "always") as announcer:
            await announcer.announce(view(0))
            monkeypatch.setattr(os, "write", write)
            events = [view(n, f"{n} {'x' * 300_000}") for n in range(1, 9)]
            ended = await asyncio.gather(*(announcer.announce(one) for one in events), return_exceptions=True)
            monkeypatch.undo()
        there = set(lines_of(tmp_path)[1:])
        assert 0 < len(there) < 8
        for event, how in zip(events, ended, strict=True):
            is_there = any(event.url.encode() in line for line in there)
            assert is_there == isinstance(how, str)
            assert isinstance(how, str) or "No space left on device; nothing was recorded" in str(how)

    asyncio.run(run())


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from([10, 10, 400_000, 900_000])), max_size=12))
def test_each_topic_keeps_its_order(
    tmp_path_factory: pytest.TempPathFactory, said: Sequence[tuple[str, int]]
) -> None:
    path = tmp_path_factory.mktemp("many")
    transport = SpoolTransport(path)
    events = [(topic, None, record("x", n, size)) for n, (topic, size) in enumerate(said)]
    assert list(transport.send_many(events)) == [None] * len(events)
    for topic in {topic for topic, _ in said}:
        assert lines_of(path / topic) == [value for name, _, value in events if name == topic]
    transport.close(0)
