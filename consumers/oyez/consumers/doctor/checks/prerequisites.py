"""Can what waits for a prerequisite ever run: does somebody handle the signal that it waits for?"""

from __future__ import annotations

from collections.abc import Sequence

from ...database.awaited import awaited_signals
from ...handlers.application import Application, Group
from ...reports import pauses_of
from ..check import Check, Finding, ok
from ..setup import Setup


def look(setup: Setup) -> Sequence[Finding]:
    """The application is checked as it is declared when it starts. Here is what is parked already, and who is there to
    meet it. What the application's own tables answer (`met_by`) is met without a handler."""
    application = setup.application
    with setup.connected() as db:
        awaited = awaited_signals(db, application.name)
        paused = {one.group for one in pauses_of(db, application.name) if one.group and not one.key}
    answered = application.answers.signals
    nobodys = [one for one in awaited if one not in answered and not _completing(application, one)]
    found = [
        Finding(
            "wrong",
            f"deliveries wait for {signal}, which no handler of {application.name} completes: they wait for ever",
            f"register a handler for {signal}; or say by oyez met {signal} SUBJECT what was handled",
        )
        for signal in nobodys
    ]
    groups = {group.name: group for signal in awaited for group in _completing(application, signal)}
    idle = _without_workers(setup, list(groups))
    for name in groups:
        if name in paused:
            advice = f"oyez resume {name}"
            found.append(Finding("warning", f"deliveries wait for what {name} handles: it is paused", advice))
        elif name in idle:
            advice = "start oyez listen, or run oyez sweep"
            found.append(
                Finding("warning", f"deliveries wait for what {name} handles: it has no worker", advice)
            )
    return found or ok("nothing waits for what nobody handles")


def _completing(application: Application, signal: str) -> list[Group]:
    return [group for group in application.of_signal(signal) if group.completing.get(signal)]


def _without_workers(setup: Setup, groups: list[str]) -> set[str]:
    if not groups:
        return set()
    workers = setup.inspection.workers(groups, setup.database)
    return {group for group in groups if not workers.get(group)}


CHECK = Check("prerequisites", ("migrations", "application", "log"), look, limit=20.0)
