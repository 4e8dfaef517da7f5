"""Is each partition read that can be?"""

from __future__ import annotations

from collections.abc import Sequence

from ...reports.positions import held_up
from ..check import Check, Finding, ok
from ..setup import Setup


def look(setup: Setup) -> Sequence[Finding]:
    """What workers have noted."""
    with setup.connected() as db:
        rows = held_up(db, list(setup.application.groups))
    found = []
    for row in rows:
        where = f"{row.group}, {row.topic}[{row.partition}]"
        if row.halted is not None:
            advice = f"oyez status says more; oyez rewind {row.group} --to … reads on"
            found.append(Finding("wrong", f"{where} is halted: {row.halted}", advice))
        else:
            found.append(
                Finding("warning", f"{where} does not get on: {row.trouble}", "oyez status says more")
            )
    return found or ok("no partition is halted")


CHECK = Check("positions", ("migrations", "application"), look)
