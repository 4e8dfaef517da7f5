"""What operators ask: how far each group is, what waits, what was given up, what is in the spool. Queries only."""

from ..database.delivery_filter import Filter
from .deliveries import DeadShare, ParkedShare, dead_shares, parked_shares
from .details import ShareDetails, dead_details, parked_details
from .explain import Explanation, Part, explain
from .groups import DeadGroup, dead_groups
from .next_steps import way_out
from .offsets import Ends, KafkaOffsets, Offsets, PartitionEnds
from .spool_segments import Piece, pieces
from .spool_states import SpoolState, state_of
from .spool_verify import Verified, verify
from .states import GroupState, ParkedCounts, PartitionState, group_states
from .tracing import Prerequisite, Trace

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
    "Piece",
    "Prerequisite",
    "ShareDetails",
    "SpoolState",
    "Trace",
    "Verified",
    "dead_details",
    "dead_groups",
    "dead_shares",
    "explain",
    "group_states",
    "parked_details",
    "parked_shares",
    "pieces",
    "state_of",
    "verify",
    "way_out",
]
