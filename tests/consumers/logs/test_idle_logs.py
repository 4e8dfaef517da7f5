"""Partitions that are started anew while their member is idle: as after a batch that was cut."""

from __future__ import annotations

import pytest

from consumers.logs.contract_logs import LogSetup, Reading
from consumers.logs.test_contract import _fill, setup, spool_setup
from support.waiting import eventually

__all__ = ["setup", "spool_setup"]


@pytest.mark.parametrize("is_set_back", [False, True])
def test_what_is_started_anew_while_idle_is_read_from_there(setup: LogSetup, is_set_back: bool):
    _fill(setup, 16, 2)
    log = setup.join("a")
    reading = Reading(log)
    reading.until(lambda: len(reading.seen) == 32)
    reading.seen.clear()

    log.idle()
    log.start(dict.fromkeys(log.positions(), 1 if is_set_back else 0))
    early = getattr(log, "_early", True)
    eventually(lambda: log.idle() or early)
    if is_set_back:
        log.start(dict.fromkeys(log.positions(), 0))
    log.resume()
    reading.until(lambda: len(reading.seen) >= 32)
    assert len(set(reading.values())) == 32
