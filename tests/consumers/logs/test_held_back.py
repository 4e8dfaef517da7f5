"""Partitions of which nothing is to be read for now, while the others are read on: the same for each log."""

from __future__ import annotations

import pytest

from consumers.logs.contract_logs import LogSetup, Reading
from consumers.logs.test_contract import _fill, setup, spool_setup

__all__ = ["setup", "spool_setup"]


@pytest.mark.parametrize("was_idle", [False, True])
def test_what_is_held_back_is_read_later_and_nothing_twice(setup: LogSetup, was_idle: bool):
    log = setup.join("a")
    reading = Reading(log)
    reading.until(lambda: len(log.positions()) == 4)
    held = next(iter(log.positions()))
    log.hold_back({held})
    _fill(setup, 16, 2)
    others = len([k for k in range(16) if setup.number(f"k{k}") != held.number]) * 2
    reading.until(lambda: len(reading.seen) >= others)
    if was_idle:
        log.idle()
        _fill(setup, 16, 1)
        others += others // 2
        reading.until(lambda: len(reading.seen) >= others)
    assert not log.poll(100, 0.1)
    assert held.number not in {record.partition() for _, record in reading.seen}
    assert held in log.positions(), "it is still this member's"
    log.hold_back(set())
    total = 48 if was_idle else 32
    reading.until(lambda: len(reading.seen) >= total)
    assert not log.poll(100, 0.1)
    assert len(reading.seen) == total


def test_what_is_held_back_stays_so_when_it_is_started_again(setup: LogSetup):
    log = setup.join("a")
    reading = Reading(log)
    reading.until(lambda: len(log.positions()) == 4)
    held = next(iter(log.positions()))
    log.hold_back({held})
    log.start({held: 0})
    _fill(setup, 16, 2)
    others = len([k for k in range(16) if setup.number(f"k{k}") != held.number]) * 2
    reading.until(lambda: len(reading.seen) >= others)
    assert not log.poll(100, 0.1)
    assert held.number not in {record.partition() for _, record in reading.seen}
    log.hold_back(frozenset())
    reading.until(lambda: len(reading.seen) >= 32)
