"""Inline without its database: what `async def` handlers have before them waits, and nobody is told of it by an error.

All that was announced is stored. Whoever flushes or closes could do nothing about it, and may be amid his own work.
"""

from __future__ import annotations

import logging

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from consumers.pipeline import Clock, Opened, Placed, known
from oyez.consumers import Application, Handlers, ListenSettings
from oyez.consumers.database import make_engine
from oyez.consumers.inline.transport import InlineTransport
from oyez.consumers.lanes.lanes import HandlersHang

NOWHERE = "postgresql+psycopg://nobody:secret@127.0.0.1:1/none"


def awaited() -> Handlers:
    """Two groups with a handler each that is awaited."""
    on = Handlers("shop")

    @on(Placed, concurrency=2)
    async def place(event: Placed, db: AsyncSession) -> None:
        """Nothing comes here."""

    @on(Opened, concurrency=2)
    async def begin(event: Opened, db: AsyncSession) -> None:
        """Nothing comes here."""

    return on


class Released:
    """What the transport was made with, and whether it was let go of."""

    def __init__(self) -> None:
        self.count = 0
        self.transport = InlineTransport(
            Application(awaited(), known),
            make_engine(NOWHERE),
            ListenSettings(database=NOWHERE),
            clock=Clock(),
            release=self.release,
        )

    def release(self) -> None:
        self.count += 1


def test_a_flush_raises_nothing(caplog: pytest.LogCaptureFixture) -> None:
    there = Released()
    there.transport.flush(1.0)
    said = [one.getMessage() for one in caplog.records if one.levelno == logging.WARNING]
    assert [one.split(":")[0] for one in said] == ["what was released has to wait"] * 2 + [
        "what was announced has to wait"
    ]
    assert "secret" not in caplog.text
    there.transport.close(1.0)


def test_closing_lets_go_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    there = Released()
    stopped: list[str] = []
    for name, lanes in there.transport._awaiting.items():
        monkeypatch.setattr(lanes, "close", lambda name=name, how=lanes.close: (stopped.append(name), how()))
    there.transport.close(1.0)
    assert len(stopped) == 2
    assert there.count == 1


def test_closing_lets_go_of_all_whatever_the_flush_says(monkeypatch: pytest.MonkeyPatch) -> None:
    there = Released()

    def hangs(_timeout: float) -> None:
        raise HandlersHang("shop.place: 5 calls took longer than their timeout")

    monkeypatch.setattr(there.transport, "flush", hangs)
    with pytest.raises(HandlersHang):
        there.transport.close(1.0)
    assert there.count == 1
