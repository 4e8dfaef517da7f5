"""Does the log keep events long enough for those who read, and not longer than groups know what they have taken?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ...core.counted import Unit, amount
from ...handlers.application import Group
from ...logs.offsets import Ends
from ...reports.positions import group_positions
from ...run.topics import readers_of, topics_of
from ..check import Check, Finding, ok
from ..setup import Setup
from ..spans import DAY, days

SHARE = 0.5
"""Of the retention: what is unread for longer is in danger."""


def against_inbox(setup: Setup) -> Sequence[Finding]:
    """What is read again after the inbox has forgotten it is handled again."""
    window = setup.settings.inbox_days * DAY
    topics = setup.inspection.topics(readers_of(setup.application, setup.settings))
    found = [
        Finding(
            "warning",
            f"{one.topic} keeps events for {days(one.retention)}, and groups know for {days(window)} what they "
            f"have taken: what is rewound to before that is handled again",
            f"set OYEZ_INBOX_DAYS to more than {days(one.retention)}, or do not rewind further than "
            f"{days(window)}",
        )
        for one in topics
        if one.retention is not None and one.retention > window
    ]
    return found or ok(f"groups know for {days(window)} what they have taken")


def against_positions(setup: Setup) -> Sequence[Finding]:
    """What is deleted before it is read is lost."""
    groups = list(setup.application.groups.values())
    topics = {group.name: topics_of(group, setup.settings) for group in groups}
    offsets = setup.backend.offsets(setup.database)
    ends = offsets.ends({topic for ones in topics.values() for topic in ones})
    kept = {one.topic: one.retention for one in setup.inspection.topics({one.topic for one in ends})}
    now = setup.wall()
    old = {
        (log.topic, log.topic_id): offsets.at(log, now - retention * SHARE)
        for log in ends
        if (retention := kept.get(log.topic)) is not None
    }
    found: list[Finding] = []
    for group in groups:
        ours = [log for log in ends if log.topic in topics[group.name]]
        with setup.connected() as db:
            at = group_positions(db, group, ours, offsets)
        for log in ours:
            aged = old.get((log.topic, log.topic_id), {})
            found += _of_log(group, log, at, aged, kept.get(log.topic), offsets.unit)
    return found or ok("no group is far behind")


def _of_log(
    group: Group,
    log: Ends,
    at: Mapping[tuple[str, int], int],
    old: Mapping[int, int | None],
    retention: float | None,
    unit: Unit,
) -> Iterable[Finding]:
    for number, (low, high) in sorted(log.partitions.items()):
        position = at.get((log.topic_id, number))
        if position is None:
            continue
        where = f"{group.name}, {log.topic}[{number}]"
        if position < low:
            yield Finding(
                "wrong",
                f"{where}: {amount(low - position, unit)} deleted unread",
                f"oyez rewind {group.name} --to earliest reads on; give the topic a longer retention",
            )
        elif retention is not None and position < high and _is_old(position, number, old):
            yield Finding(
                "warning",
                f"{where}: what is unread is older than half of the topic's retention of {days(retention)}",
                "add workers, or see by oyez status what holds the group up; give the topic a longer retention",
            )


def _is_old(position: int, number: int, old: Mapping[int, int | None]) -> bool:
    """Whether the record at a position is before the first one that is not old."""
    if number not in old:
        return False
    first = old[number]
    return first is None or position < first


INBOX = Check("retention and inbox", ("log", "application"), against_inbox)
POSITIONS = Check(
    "retention and positions",
    ("log", "application", "migrations"),
    against_positions,
    limit=30.0,  # each topic is a question of its own
)
