"""Shipping what is in the spool: in order, marking what the broker has acknowledged."""

from .background import Background
from .drainer import Drainer, Pass
from .folder import LogDrain, Stuck
from .mark import Mark
from .refused import count_refused
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
