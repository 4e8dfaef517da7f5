"""What has failed in lanes in memory is run again; what no handler was to be given is not."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from oyez.consumers.core.outcomes import DONE, EXPIRED, PAUSED
from oyez.consumers.execution.attempt import outcome_of
from oyez.consumers.lanes.window import Window


def errand(*, is_forgotten: bool = False) -> Any:
    return SimpleNamespace(flight=SimpleNamespace(is_forgotten=is_forgotten))


def test_what_is_paused_or_has_expired_is_not_run_again() -> None:
    window, failed, paused, expired = Window(), errand(), errand(), errand()
    outcomes = [
        (failed, outcome_of(ValueError("no"))),
        (paused, PAUSED),
        (errand(), DONE),
        (expired, EXPIRED),
        (errand(is_forgotten=True), EXPIRED),
        (errand(is_forgotten=True), outcome_of(ValueError("no"))),
    ]
    for one, outcome in outcomes:
        window.add(one, outcome, 0.0)
    assert window.take_failed() == [failed]
    assert window.failed == [(paused, PAUSED), (expired, EXPIRED)]
