"""Whoever asks whether Kafka is there may be killed while he asks: that says nothing of Kafka."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from oyez.consumers.logs.backend import LogUnreachable
from oyez.consumers.logs.kafka import probe as probing


@pytest.fixture
def died(tmp_path: Path) -> Path:
    """A file with a byte for each child that was killed."""
    file = tmp_path / "died"
    file.touch()
    return file


def killed(times: int, died: Path) -> object:
    def asked(*_: object) -> tuple[str, str]:
        if died.stat().st_size < times:
            with died.open("ab") as file:
                file.write(b".")
            os.kill(os.getpid(), signal.SIGKILL)
        return "there", ""

    return asked


def test_another_one_asks(died: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "_asked", killed(2, died))
    probing.probe("127.0.0.1:1", {})
    assert died.stat().st_size == 2


def test_not_for_ever(died: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "_asked", killed(99, died))
    with pytest.raises(LogUnreachable, match="cannot be reached: the probe died 3 times"):
        probing.probe("127.0.0.1:1", {})
    assert died.stat().st_size == 3
