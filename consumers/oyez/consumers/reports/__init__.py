"""What operators ask, by queries only: how far each group is, what waits, what was given up, what is in the spool."""

from typing import TYPE_CHECKING

from oyez.producers.when_used import names_when_used

if TYPE_CHECKING:
    from ..database.delivery_filter import Filter
    from ..logs.offsets import Ends, Offsets, PartitionEnds
    from .deliveries import DeadDelivery, ParkedDelivery, dead_deliveries, parked_deliveries
    from .details import DeliveryDetails, dead_details, parked_details
    from .explaining import Explanation, Part, explain
    from .grouped_errors import ErrorGroup, error_groups
    from .groups import DeadGroup, dead_groups
    from .moments import Moment
    from .next_steps import after_expiry, way_out
    from .parked_counts import LaneQueue, ParkedCounts
    from .pauses import GroupPause, PauseState, pauses_of
    from .settings_report import SettingState, setting_states
    from .spool_segments import Piece, pieces
    from .spool_states import SpoolState, state_of
    from .spool_verify import Verified, verify
    from .states import GroupState, PartitionState, group_states
    from .timeline import Timeline, timeline_of
    from .timeline_rows import Window
    from .tracing import Trace, TracedPrerequisite

__all__ = [
    "DeadDelivery",
    "DeadGroup",
    "DeliveryDetails",
    "Ends",
    "ErrorGroup",
    "Explanation",
    "Filter",
    "GroupPause",
    "GroupState",
    "LaneQueue",
    "Moment",
    "Offsets",
    "ParkedCounts",
    "ParkedDelivery",
    "Part",
    "PartitionEnds",
    "PartitionState",
    "PauseState",
    "Piece",
    "SettingState",
    "SpoolState",
    "Timeline",
    "Trace",
    "TracedPrerequisite",
    "Verified",
    "Window",
    "after_expiry",
    "dead_deliveries",
    "dead_details",
    "dead_groups",
    "error_groups",
    "explain",
    "group_states",
    "parked_deliveries",
    "parked_details",
    "pauses_of",
    "pieces",
    "setting_states",
    "state_of",
    "timeline_of",
    "verify",
    "way_out",
]

if not TYPE_CHECKING:  # a type checker would believe that every name is there
    __getattr__, __dir__ = names_when_used(
        __name__,
        {
            "DeadDelivery": ".deliveries",
            "DeadGroup": ".groups",
            "DeliveryDetails": ".details",
            "Ends": "..logs.offsets",
            "ErrorGroup": ".grouped_errors",
            "Explanation": ".explaining",
            "Filter": "..database.delivery_filter",
            "GroupPause": ".pauses",
            "GroupState": ".states",
            "LaneQueue": ".parked_counts",
            "Moment": ".moments",
            "Offsets": "..logs.offsets",
            "ParkedCounts": ".parked_counts",
            "ParkedDelivery": ".deliveries",
            "Part": ".explaining",
            "PartitionEnds": "..logs.offsets",
            "PartitionState": ".states",
            "PauseState": ".pauses",
            "Piece": ".spool_segments",
            "SettingState": ".settings_report",
            "SpoolState": ".spool_states",
            "Timeline": ".timeline",
            "Trace": ".tracing",
            "TracedPrerequisite": ".tracing",
            "Verified": ".spool_verify",
            "Window": ".timeline_rows",
            "after_expiry": ".next_steps",
            "dead_deliveries": ".deliveries",
            "dead_details": ".details",
            "dead_groups": ".groups",
            "error_groups": ".grouped_errors",
            "explain": ".explaining",
            "group_states": ".states",
            "parked_deliveries": ".deliveries",
            "parked_details": ".details",
            "pauses_of": ".pauses",
            "pieces": ".spool_segments",
            "setting_states": ".settings_report",
            "state_of": ".spool_states",
            "timeline_of": ".timeline",
            "verify": ".spool_verify",
            "way_out": ".next_steps",
        },
    )
