"""Does what was announced in transactions leave?"""

from __future__ import annotations

from collections.abc import Sequence

from ...core.counted import several
from ...database import outbox, scheduled
from ...database.clock import DatabaseClock
from ..check import Check, Finding, ok
from ..setup import Setup

LONG = 300.0  # s


def look(setup: Setup) -> Sequence[Finding]:
    """What is refused stays, and so does what nobody relays."""
    with setup.connected() as db:
        state, now = outbox.state(db), DatabaseClock()(db)
        later = scheduled.state(db, now)
    found = []
    if state.refused:
        advice = "oyez outbox status says why; oyez outbox retry lets them wait again"
        found.append(Finding("warning", f"{several(state.refused, 'event')} of the outbox refused", advice))
    age = 0.0 if state.oldest is None else now - state.oldest
    if age > LONG:
        why = f": {state.error}" if state.error else ", and nothing is known to be in the way"
        found.append(
            Finding(
                "warning",
                f"{several(state.backlog, 'event')} waiting in the outbox, the oldest for {age:.0f} s{why}",
                "run oyez listen, oyez sweep or oyez outbox relay",
            )
        )
    if later.next_due is not None and now - later.next_due > LONG:
        found.append(
            Finding(
                "warning",
                f"{several(later.overdue, 'scheduled event')} not announced, the first due for "
                f"{now - later.next_due:.0f} s",
                "run oyez listen, oyez sweep or oyez outbox relay",
            )
        )
    return found or ok(f"{several(state.backlog, 'event')} waiting")


CHECK = Check("outbox", ("migrations",), look)
