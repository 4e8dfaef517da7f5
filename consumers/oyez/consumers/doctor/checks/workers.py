"""Has each group workers, and not more than partitions?"""

from __future__ import annotations

from collections.abc import Sequence

from ...run.topics import topics_of
from ..check import Check, Finding, ok
from ..setup import Setup


def look(setup: Setup) -> Sequence[Finding]:
    """A worker without a partition does nothing. A group without workers may be what is wanted, and is told as such."""
    groups = list(setup.application.groups.values())
    workers = setup.inspection.workers([group.name for group in groups], setup.database)
    topics = {group.name: topics_of(group, setup.settings) for group in groups}
    partitions = {
        one.topic: one.partitions
        for one in setup.inspection.topics({topic for ones in topics.values() for topic in ones})
    }
    found = []
    for group in groups:
        # Those of a topic are dealt out by themselves: so is what each worker can get.
        most = sum(partitions.get(topic, 0) for topic in topics[group.name])
        count = workers.get(group.name, 0)
        if most and count > most:
            found.append(
                Finding(
                    "warning",
                    f"{group.name} has {count} workers and {most} partitions: {count - most} do nothing",
                    f"give {', '.join(topics[group.name])} more partitions, or the group fewer workers",
                )
            )
    said = ", ".join(f"{group.name}: {workers.get(group.name, 0)}" for group in groups)
    return found or ok(f"workers of {said}")


CHECK = Check("workers", ("log", "application", "migrations"), look, limit=20.0)
