"""What operators ask, by queries only: how far each group is, what waits, what was given up, what is in the spool."""

from ..database.delivery_filter import Filter
from ..logs.offsets import Ends, Offsets, PartitionEnds
from .deliveries import DeadDelivery, ParkedDelivery, dead_deliveries, parked_deliveries
from .details import DeliveryDetails, dead_details, parked_details
from .explain import Explanation, Part, explain
from .groups import DeadGroup, dead_groups
from .next_steps import way_out
from .spool_segments import Piece, pieces
from .spool_states import SpoolState, state_of
from .spool_verify import Verified, verify
from .states import GroupState, ParkedCounts, PartitionState, group_states
from .tracing import Trace, TracedPrerequisite

__all__ = [
    "DeadDelivery",
    "DeadGroup",
    "DeliveryDetails",
    "Ends",
    "Explanation",
    "Filter",
    "GroupState",
    "Offsets",
    "ParkedCounts",
    "ParkedDelivery",
    "Part",
    "PartitionEnds",
    "PartitionState",
    "Piece",
    "SpoolState",
    "Trace",
    "TracedPrerequisite",
    "Verified",
    "dead_deliveries",
    "dead_details",
    "dead_groups",
    "explain",
    "group_states",
    "parked_deliveries",
    "parked_details",
    "pieces",
    "state_of",
    "verify",
    "way_out",
]
