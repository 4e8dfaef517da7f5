"""Does an inline application take events from the outbox that another one in the same database handles, too?"""

from __future__ import annotations

from collections.abc import Sequence

from ...handlers.recorded_handlers import groups_of_others
from ..check import Check, Finding, ok
from ..setup import Setup


def look(setup: Setup) -> Sequence[Finding]:
    """Of another application only its handlers' groups are known: those that are named after their signal tell it."""
    application = setup.application
    if setup.has_log:
        return ok(f"events leave by {setup.settings.transport}, into a log")
    with setup.connected() as db:
        theirs = groups_of_others(db, application.name)
    shared = [
        Finding(
            "warning",
            f"{group} handles {signal}, too, which {application.name} declares: inline, {application.name} takes it "
            f"from the outbox, and {app} does not get it",
            "give each application a database or an OYEZ_SCHEMA of its own, or let all announce by kafka",
        )
        for app, group in theirs
        if application.knows(signal := group.removeprefix(f"{app}."))
    ]
    return shared or ok("no other application is known to handle what is taken from it")


CHECK = Check("shared outbox", ("migrations", "application"), look)
