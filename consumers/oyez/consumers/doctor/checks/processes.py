"""Do the processes get on that run here?"""

from __future__ import annotations

import os
from collections.abc import Sequence

from ...health.answer import found
from ...health.folder import default
from ..check import Check, Finding, not_checked, ok
from ..setup import Setup

NOTHING = "nothing of Oyez runs here"


def look(setup: Setup) -> Sequence[Finding]:
    """What their heartbeats say, as for `oyez healthy`."""
    lines = found(is_live=False, where=str(setup.settings.health or default(os.environ)))
    if any(line.startswith(NOTHING) for line in lines):
        return not_checked("nothing of Oyez's runs here as this user")
    return [
        Finding("warning", line, "restart it, if it is stuck: oyez healthy --live names those")
        for line in lines
    ] or ok("all that runs here gets on")


CHECK = Check("processes", ("settings",), look)
