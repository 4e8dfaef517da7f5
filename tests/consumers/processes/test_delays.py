"""How long a worker that died is away: an event that kills is found by deaths, while others wait to be run."""

from __future__ import annotations

from oyez.consumers.processes.supervisor import DELAYS

DEATHS = 100  # of six workers, by ten events that kill
LIMIT = 90.0  # s that these take together


def test_several_events_that_kill_do_not_stop_a_group_for_long() -> None:
    each = DEATHS // 6
    assert sum(DELAYS.after(number) for number in range(1, each + 1)) <= LIMIT


def test_who_cannot_begin_at_all_is_not_started_in_a_hurry() -> None:
    delays = [DELAYS.after(number) for number in range(1, DEATHS)]
    assert delays == sorted(delays)
    assert delays[-1] >= 5.0
