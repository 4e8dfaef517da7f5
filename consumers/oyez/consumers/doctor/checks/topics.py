"""Are the topics there, with partitions, and with copies where there are several brokers?"""

from __future__ import annotations

from collections.abc import Sequence

from ...run.topics import readers_of
from ..check import Check, Finding, ok
from ..setup import Setup


def look(setup: Setup) -> Sequence[Finding]:
    """A topic that is missing may not have been needed yet."""
    wanted = readers_of(setup.application, setup.settings)
    there = {one.topic: one for one in setup.inspection.topics(wanted)}
    missing = [
        Finding(
            "warning",
            f"there is no topic {topic} yet, which {', '.join(sorted(wanted[topic]))} read",
            "the first event makes it, as the log is set; make it before, if it is to have other partitions",
        )
        for topic in sorted(wanted)
        if topic not in there
    ]
    said = ", ".join(
        f"{one.topic} ({one.partitions} partition{'' if one.partitions == 1 else 's'}"
        f"{'' if one.copies is None else f', {one.copies} of each'})"
        for one in there.values()
    )
    return missing or ok(said)


CHECK = Check("topics", ("log", "application"), look)
