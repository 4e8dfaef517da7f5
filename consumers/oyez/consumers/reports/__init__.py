"""What operators ask: how far each group is, what waits, what was given up. Queries only."""

from ..database.choosing import Filter
from .offsets import Ends, Offsets, PartitionEnds
from .shares import DeadShare, ParkedShare, dead_shares, parked_shares
from .states import GroupState, ParkedCounts, PartitionState, group_states

__all__ = [
    "DeadShare",
    "Ends",
    "Filter",
    "GroupState",
    "Offsets",
    "ParkedCounts",
    "ParkedShare",
    "PartitionEnds",
    "PartitionState",
    "dead_shares",
    "group_states",
    "parked_shares",
]
