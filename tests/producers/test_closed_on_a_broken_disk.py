"""The last fsync fails: all else is closed, and whoever closes hears of it in one line."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import random
from collections.abc import Collection
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from oyez.producers import Announcer, TransportRefused
from oyez.producers.closing import closed
from oyez.producers.kafka.failover import FailoverTransport, Outlet
from oyez.producers.kafka.spooled import SpooledTransport
from oyez.producers.made_when_used import MadeWhenUsed
from oyez.producers.settings import Settings
from oyez.producers.spool import SpoolTransport, Writer
from oyez.producers.starlette import Announcers
from producers.kafka.failover.failover_pipeline import Quiet
from producers.kafka.failover.fakes import FakeBroker, FakeProducer, event
from producers.shop import PageViewed, known

if not Path("/proc/self/fd").exists():
    pytest.skip("what a process has open is asked of Linux", allow_module_level=True)

TOPICS = ["a", "b", "c"]
SAID = "a could not be forced to disk: Input/output error"
LATER = partial(Writer, interval=3600.0)
"""Makes writers that force nothing to disk before they are closed."""


class Finished(Quiet):
    """A background that knows whether it was told to end."""

    is_finished = False

    def finish(self, timeout: float) -> None:
        self.is_finished = True


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """MOCK of `os.fsync`: a disk that breaks, for what is in the test's own segments."""
    real = os.fsync

    def fsync(file: int) -> None:
        path = Path("/proc/self/fd", str(file)).readlink()
        if path.suffix == ".ndjson" and tmp_path in path.parents:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        real(file)

    monkeypatch.setattr(os, "fsync", fsync)


def open_files(path: Path) -> list[Path]:
    """The segments below a folder that this process has open."""
    held = []
    for one in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # another thread's, closed meanwhile
            held.append(one.readlink())
    return [one for one in held if path in one.parents and one.suffix == ".ndjson"]


def told(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """What was logged of that."""
    return [one for one in caplog.records if "could not be forced to disk" in one.getMessage()]


@pytest.mark.usefixtures("broken")
def test_every_topic_is_closed(tmp_path: Path) -> None:
    transport = SpoolTransport(tmp_path, LATER)
    for topic in TOPICS:
        transport.send(topic, None, b"{}")
    with pytest.raises(TransportRefused, match=SAID):
        transport.close(1.0)
    assert open_files(tmp_path) == []
    transport.close(1.0)


@pytest.mark.usefixtures("broken")
def test_what_is_there_is_shipped_all_the_same(tmp_path: Path) -> None:
    background = Finished()
    transport = SpooledTransport(tmp_path, LATER, background)  # type: ignore[arg-type]
    transport.send("a", None, b"{}")
    with pytest.raises(TransportRefused, match=SAID):
        transport.close(1.0)
    assert background.is_finished


@pytest.mark.usefixtures("broken")
def test_a_failover_closes_every_topic_tells_and_ships(tmp_path: Path) -> None:
    background, broker = Finished(), FakeBroker()
    broker.is_up = False

    def outlet(_topics: Collection[str]) -> Outlet:
        return Outlet({}, 5.0, make=lambda config: FakeProducer(config, broker, random.Random(0), 8))

    transport = FailoverTransport(outlet, tmp_path, LATER, background)  # type: ignore[arg-type]
    for n, topic in enumerate(TOPICS):
        transport.send(topic, b"a", event("a", n))
    with pytest.raises(TransportRefused, match=SAID):
        transport.close(0.0)
    assert open_files(tmp_path) == []
    assert background.is_finished
    transport.close(0.0)


@pytest.fixture
def announcer(tmp_path: Path, broken: None) -> Announcer:
    made = Announcer(SpoolTransport(tmp_path, LATER), source="web-1", catalogue=known)
    made.announce(PageViewed(session_id="s1", url="/"))
    return made


def test_at_exit_it_is_one_line(announcer: Announcer, caplog: pytest.LogCaptureFixture) -> None:
    announcer._close_at_exit()
    assert [(one.levelno, one.exc_info) for one in told(caplog)] == [(logging.ERROR, None)]


def test_at_the_end_of_a_server_it_is_one_line(
    announcer: Announcer, caplog: pytest.LogCaptureFixture
) -> None:
    used = MadeWhenUsed(lambda: announcer)
    used()
    closed(used)
    assert "at the end: " in caplog.text


def test_the_lifespan_of_an_application_ends_as_it_should(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_transport: SpoolTransport, _timeout: float) -> None:
        raise TransportRefused(SAID)

    async def run() -> None:
        announcers = Announcers(Settings(transport="spool", spool=tmp_path), {"catalogue": known})
        announcers.in_threads()
        await announcers.aclose()

    monkeypatch.setattr(SpoolTransport, "close", fails)
    asyncio.run(run())
    assert [one.getMessage() for one in told(caplog)] == [f"at the end: {SAID}"] * 2
