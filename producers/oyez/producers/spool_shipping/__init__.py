"""Shipping what is in the spool: in order, marking what the broker has acknowledged."""

from .background import Background
from .mark import Mark
from .refused import count_refused
from .ship_log import LogDrain, Stuck
from .shipper_of_logs import Drainer, Pass
from .trouble import Trouble, Troubles

__all__ = [
    "Background",
    "Drainer",
    "LogDrain",
    "Mark",
    "Pass",
    "Stuck",
    "Trouble",
    "Troubles",
    "count_refused",
]
