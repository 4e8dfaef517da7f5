"""Where a group begins to read partitions that it has no position in."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from ..database import positions
from ..database.connection import HandlerConnection
from ..database.engine import Database
from ..database.positions import Partition, is_folder
from ..logs.group_offsets import FirstOffset, GroupOffsets


@dataclass(frozen=True)
class InitialPositions:
    """Initial positions of some partitions of a topic; ``halted`` says why these are not to be read yet."""

    offsets: dict[Partition, int]
    halted: str | None = None

    def write(self, db: HandlerConnection, group: str, now: float) -> None:
        """Give them to those partitions that have none."""
        positions.begin(db, group, self.offsets, now, self.halted)


def initial_positions(
    database: Database, offsets: GroupOffsets, group: str, gained: Iterable[Partition], first: FirstOffset
) -> list[InitialPositions]:
    """Initial positions for what was gained and has none. Raises `LogAway`."""
    by_topic: dict[tuple[str, str], list[Partition]] = {}
    for partition in gained:
        by_topic.setdefault((partition.topic, partition.topic_id), []).append(partition)
    return [_of_topic(database, offsets, group, ours, first) for ours in by_topic.values()]


def _of_topic(
    database: Database, offsets: GroupOffsets, group: str, ours: Collection[Partition], first: FirstOffset
) -> InitialPositions:
    """A new group gets a position for every partition of the topic at once, so that a partition without one is known
    to be added later: it is read from its beginning, as is a folder of the spool that comes later. A group that knew
    another topic of that name gets them as well, and waits to be told where to go on."""
    one = next(iter(ours))
    with database.reading() as db:
        known = positions.known(db, group, one.topic_id)
        before = [] if known else positions.others(db, group, one.topic, one.topic_id)
    if known:
        return InitialPositions(
            {p: offsets.first_offset(p, "earliest") for p in ours if p.number not in known}
        )
    if is_folder(one.topic_id) and before:
        return InitialPositions({p: offsets.first_offset(p, "earliest") for p in ours})
    if remade := remade_from(one.topic_id, before):
        starts = {p: offsets.first_offset(p, "earliest") for p in offsets.siblings(one)}
        return InitialPositions(starts, made_again(group, one, remade))
    return InitialPositions({p: offsets.first_offset(p, first) for p in offsets.siblings(one)})


def remade_from(topic_id: str, others: Iterable[str]) -> list[str]:
    """Those of the other logs of its topic that this one has taken the place of. Folders of the spool stand beside
    one another, and beside a topic of Kafka."""
    return [] if is_folder(topic_id) else [other for other in others if not is_folder(other)]


def made_again(group: str, partition: Partition, before: Collection[str]) -> str:
    """Why a topic is not read that has the name of another one before it."""
    ids = ", ".join(before)
    return (
        f"the topic {partition.topic} was made again (its id is {partition.topic_id}, the group's positions are for "
        f"{ids}); run: oyez rewind {group} --to earliest"
    )


def why_out_of_range(offsets: GroupOffsets, group: str, partition: Partition, position: int) -> str:
    """Why a partition cannot be read on. Raises `LogAway`."""
    low, high = offsets.first_offset(partition, "earliest"), offsets.first_offset(partition, "latest")
    return (
        f"the group's position {position} is not in it, it has {low} to {high}; "
        f"run: oyez rewind {group} --to earliest, or latest, a time or an offset"
    )
