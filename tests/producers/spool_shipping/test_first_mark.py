"""What cannot be marked is not sent: it would be sent again each time."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from oyez.producers.ordered_sender import OrderedSender
from oyez.producers.spool_shipping import Mark, SpoolShipper
from producers.kafka.failover.fakes import FakeBroker, FakeShipping
from producers.spool_shipping.logs_to_ship import end, marked, never, numbers, spooled


def test_nothing_is_sent_as_long_as_there_is_no_room_for_the_first_mark(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is full of what was spooled."""

    def full(_self: Mark, _position: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    spooled(tmp_path, 3)
    broker = FakeBroker()
    shipper = SpoolShipper([tmp_path], "t", lambda: OrderedSender(FakeShipping(broker)))
    with monkeypatch.context() as disk:
        disk.setattr(Mark, "write", full)
        for _ in range(3):
            assert "No space left" in str(shipper.run(never).stuck)
    assert numbers(broker) == []
    assert shipper.run(never).shipped == 3
    assert numbers(broker) == [0, 1, 2]
    assert marked(tmp_path) == end(tmp_path)


def test_an_empty_log_needs_no_mark(tmp_path: Path) -> None:
    spooled(tmp_path, 0)
    broker = FakeBroker()
    assert SpoolShipper([tmp_path], "t", lambda: OrderedSender(FakeShipping(broker))).run(never).stuck == {}
    assert list(tmp_path.rglob("shipped-*")) == []
