"""Are the settings right, and does each name mean something?"""

from __future__ import annotations

from collections.abc import Sequence

from oyez.schemas import OyezError

from ..check import Check, Finding, ok, wrong
from ..setup import Setup

ADVICE = "correct it; oyez config show lists what is set, and where"


def look(setup: Setup) -> Sequence[Finding]:
    """A value that is wrong, or a name in the file that is none, is wrong; a variable that is none may be others'."""
    problems = [
        Finding("wrong" if one.is_wrong else "warning", f"{one.where or one.variable}: {one.problem}", ADVICE)
        for one in setup.states
        if one.problem is not None
    ]
    if not any(one.state == "wrong" for one in problems):
        try:
            _ = setup.settings
        except OyezError as error:
            return [wrong(str(error))]
    given = sum(one.origin not in ("default", "inferred") for one in setup.states)
    return problems or ok(f"{given} of {len(setup.states)} are set; the others have their defaults")


CHECK = Check("settings", (), look)
