"""What operators ask: how far each group is, what waits, what was given up. Queries only."""

from ..database.choosing import Filter
from .details import ShareDetails, dead_details, parked_details
from .groups import DeadGroup, dead_groups
from .offsets import Ends, Offsets, PartitionEnds
from .shares import DeadShare, ParkedShare, dead_shares, parked_shares
from .states import GroupState, ParkedCounts, PartitionState, group_states

__all__ = [
    "DeadGroup",
    "DeadShare",
    "Ends",
    "Filter",
    "GroupState",
    "Offsets",
    "ParkedCounts",
    "ParkedShare",
    "PartitionEnds",
    "PartitionState",
    "ShareDetails",
    "dead_details",
    "dead_groups",
    "dead_shares",
    "group_states",
    "parked_details",
    "parked_shares",
]
