"""What operators ask: how far each group is, what waits, what was given up. Queries only."""

from ..database.choosing import Filter
from .details import ShareDetails, dead_details, parked_details
from .explain import Explanation, Part, explain
from .groups import DeadGroup, dead_groups
from .offsets import Ends, KafkaOffsets, Offsets, PartitionEnds
from .shares import DeadShare, ParkedShare, dead_shares, parked_shares
from .states import GroupState, ParkedCounts, PartitionState, group_states
from .tracing import Prerequisite, Trace
from .ways import way_out

__all__ = [
    "DeadGroup",
    "DeadShare",
    "Ends",
    "Explanation",
    "Filter",
    "GroupState",
    "KafkaOffsets",
    "Offsets",
    "ParkedCounts",
    "ParkedShare",
    "Part",
    "PartitionEnds",
    "PartitionState",
    "Prerequisite",
    "ShareDetails",
    "Trace",
    "dead_details",
    "dead_groups",
    "dead_shares",
    "explain",
    "group_states",
    "parked_details",
    "parked_shares",
    "way_out",
]
