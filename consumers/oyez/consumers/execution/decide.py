"""What is to be written of a delivery that is not done. Deciding writes nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Literal, assert_never

from oyez.schemas.declaration import Prerequisite

from ..core.backoff import RetryPolicy
from ..core.counted import several
from ..core.outcomes import Behind, Dead, Done, Expired, Failed, Paused, Queued, Unrun, Waits
from ..database.due import at_once
from .delivery import Delivery, Result

Doubted = tuple[str, str, Prerequisite]
"""Handler, key, and the prerequisite that the head of that key died of."""


Counted = Literal["waiting", "behind", "retried", "unrun", "queued", "paused"]
LEFT: Mapping[type[Unrun | Queued | Paused], Counted] = {
    Unrun: "unrun",
    Queued: "queued",
    Paused: "paused",
}
"""What is due at once and was not run, by what it counts as."""


@dataclass(frozen=True, slots=True)
class Stay:
    """It stays where it is, behind an earlier one of its key."""


@dataclass(frozen=True, slots=True)
class Park:
    """It is parked, or stays so: until ``due_at``, or until ``waits`` is met; ``raised`` if its handler asked for that.
    ``counts`` says what it counts as; ``span`` is the traceparent of the attempt, if there was one that was traced."""

    counts: Counted
    due_at: float | None = None
    waits: Prerequisite | None = None
    raised: bool = False
    attempts: int | None = None
    error: str | None = None
    span: str | None = None


@dataclass(frozen=True, slots=True)
class Bury:
    """It is given up: a dead letter. ``span`` is as for `Park`."""

    reason: str
    error: str | None
    waits: Prerequisite | None = None
    attempts: int | None = None
    span: str | None = None


@dataclass(frozen=True, slots=True)
class Drop:
    """It has expired: it ends. The journal alone has it."""


Decision = Stay | Park | Bury | Drop


@dataclass(frozen=True, slots=True)
class Facts:
    """What decisions rest on: the time, the application's retry policy, which prerequisites are met, which keys' heads
    have died of one, and until when handlers were paused."""

    now: float
    policy: RetryPolicy
    met: AbstractSet[Prerequisite]
    hopeless: AbstractSet[Doubted]
    paused_until: Mapping[str, float]

    def is_hopeless(self, delivery: Delivery, prerequisite: Prerequisite) -> bool:
        """Whether it would wait for the very prerequisite that its predecessor died of."""
        key = delivery.ordered_key
        return key is not None and (*key, prerequisite) in self.hopeless


def decide(result: Result, facts: Facts) -> Decision:
    """What becomes of a delivery that is not done."""
    delivery, outcome = result
    match outcome:
        case Behind():
            return Park("behind") if delivery.row is None else Stay()
        case Unrun() | Queued() | Paused():
            return Park(LEFT[type(outcome)], at_once(facts.now))
        case Waits():
            return _wait(delivery, outcome, facts)
        case Failed():
            return _retry(delivery, outcome, facts)
        case Dead(reason, error, span):
            return Bury(reason, error, span=span)
        case Expired():
            return Drop()
        case Done():
            raise AssertionError("a delivery that is done has nothing to be decided")
    assert_never(outcome)


def _wait(delivery: Delivery, waits: Waits, facts: Facts) -> Decision:
    """Until its prerequisite is met; it may be by now, or may never be."""
    needed = waits.prerequisite
    if needed in facts.met:
        if waits.raised:
            said = f"NotReady: {needed.signal} {needed.subject!r} is met already"
            return _retry(delivery, Failed(said, span=waits.span), facts)
        return Park("waiting", at_once(facts.now))
    if facts.is_hopeless(delivery, needed):
        return Bury("never met, like its predecessor", None, needed)
    return Park("waiting", waits=needed, raised=waits.raised, span=waits.span)


def _retry(delivery: Delivery, failed: Failed, facts: Facts) -> Decision:
    """Another attempt later, or a dead letter after too many or too long."""
    row, policy = delivery.row, facts.policy.of(delivery.handler.retry)
    attempts = 1 if row is None else row.attempts + 1
    since = None if row is None else row.head_since
    # What only waited since it was paused is not old: its age begins when that ended.
    paused_until = facts.paused_until.get(delivery.handler.name, -math.inf)
    age = 0.0 if since is None else facts.now - max(since, paused_until)
    if attempts >= policy.max_attempts:
        return Bury(f"failed {several(attempts, 'time')}", failed.error, attempts=attempts, span=failed.span)
    if age > policy.max_age:
        return Bury(f"failed for {age:.0f} s", failed.error, attempts=attempts, span=failed.span)
    pause = policy.delay(attempts) if failed.after is None else failed.after
    return Park("retried", facts.now + pause, attempts=attempts, error=failed.error, span=failed.span)
