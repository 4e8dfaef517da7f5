"""Members that were idle read on with their next poll, partitions that were started meanwhile from there: as after a
batch that was cut. The same for each log, with a watchdog and without."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from consumers.logs.contract_logs import LogSetup, Reading
from consumers.logs.test_contract import _fill, setup, spool_setup
from oyez.consumers.logs.keepalive import KeepAlive
from oyez.consumers.logs.log import Log
from support.waiting import eventually

__all__ = ["setup", "spool_setup"]


NEVER = 1e9  # s


def alone(log: Log) -> Log:
    return log


def with_a_watchdog(log: Log) -> Log:
    """One that has nothing to do: its worker never rests for long."""
    return KeepAlive(log, after=NEVER)


@pytest.mark.parametrize("kept", [alone, with_a_watchdog])
@pytest.mark.parametrize("is_set_back", [False, True])
def test_what_is_started_anew_while_idle_is_read_from_there(
    setup: LogSetup, is_set_back: bool, kept: Callable[[Log], Log]
):
    _fill(setup, 16, 2)
    member = setup.join("a")
    log = kept(member)
    reading = Reading(log)
    reading.until(lambda: len(reading.seen) == 32)
    reading.seen.clear()

    log.idle()
    log.start(dict.fromkeys(log.positions(), 1 if is_set_back else 0))
    early = getattr(member, "_early", True)
    eventually(lambda: log.idle() or early)
    before = log.positions()
    log.idle()
    assert log.positions() == before, "nothing was handed out, and so nothing is passed"
    if is_set_back:
        log.start(dict.fromkeys(log.positions(), 0))
    reading.until(lambda: len(reading.seen) >= 32)
    assert len(set(reading.values())) == 32
    assert len(reading.seen) == 32
    log.close()
    setup.members.remove(member)


def test_a_member_that_was_idle_before_it_had_anything_reads_it(setup: LogSetup):
    _fill(setup, 16, 2)
    log = setup.join("a")
    log.idle()
    reading = Reading(log)
    reading.until(lambda: len(reading.seen) >= 32)
    assert len(reading.seen) == 32
