"""Is the application there, and can its handlers work?"""

from __future__ import annotations

from collections.abc import Sequence

from ..check import Check, Finding, ok
from ..setup import Setup


def look(setup: Setup) -> Sequence[Finding]:
    """That each handler's prerequisites are handled was checked when it was made."""
    if not setup.is_named:
        advice = "give --app module:handlers, or set OYEZ_APP"
        return [Finding("not checked", "no application is named", advice)]
    application = setup.application
    broken = [
        Finding("warning", f"this event file is broken and does not run: {one}", "oyez handlers says why")
        for one in setup.broken
    ]
    groups = ", ".join(application.groups)
    return broken or ok(f"{application.name} has {len(application.handlers)} handlers, in {groups}")


CHECK = Check("application", ("settings",), look, advice="correct the application, or OYEZ_APP")
