"""Is what a parked delivery requires still known when it runs at last?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ...core.backoff import RetryPolicy
from ...handlers.application import Application
from ...handlers.registry import Handler
from ...run.assembly import retry_policy_from
from ..check import Check, Finding, ok
from ..setup import Setup
from ..spans import days


def look(setup: Setup) -> Sequence[Finding]:
    """A delivery that is tried again, or is behind another one, keeps nobody from forgetting what it requires: only one
    that waits for it does. What the application's own tables answer (`met_by`) need not be remembered."""
    application, policy = setup.application, retry_policy_from(setup.settings)
    found = [finding for one in application.handlers for finding in _of(one, application, policy)]
    return found or ok("what parked deliveries require is remembered for longer than their retries last")


def _of(handler: Handler, application: Application, policy: RetryPolicy) -> Iterable[Finding]:
    longest = longest_wait(handler, policy)
    for name in handler.requires:
        remembered = application.signals[name].remember
        if remembered is None or remembered.total_seconds() > longest or name in application.answers.signals:
            continue
        yield Finding(
            "warning",
            f"{handler.name} requires {name}, which is remembered for {days(remembered.total_seconds())}; a delivery "
            f"of it may be parked for {days(longest)}, and would then wait for what is forgotten",
            f"give {name} a longer remember=, or {handler.name} a shorter retry=Backoff(max_age=…) "
            f"(OYEZ_MAX_AGE for all)",
        )


def longest_wait(handler: Handler, policy: RetryPolicy) -> float:
    """For how many seconds a delivery may be parked: it fails once more after its age, and may have been behind one
    that took as long. Behind several, after `RetryAfter`, and where an operator pauses it, it waits longer."""
    own = policy.of(handler.retry)
    once = own.max_age + own.longest * (1 + own.spread)
    return 2 * once if handler.ordered else once


CHECK = Check("retention and prerequisites", ("settings", "application"), look)
