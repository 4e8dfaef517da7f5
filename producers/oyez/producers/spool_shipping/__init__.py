"""Shipping what is in the spool: in order, marking what the broker has acknowledged."""

from .log_shipper import LogShipper, Stuck
from .mark import Mark
from .refused import count_refused
from .spool_shipper import Pass, SpoolShipper
from .trouble import Trouble, Troubles

__all__ = [
    "LogShipper",
    "Mark",
    "Pass",
    "SpoolShipper",
    "Stuck",
    "Trouble",
    "Troubles",
    "count_refused",
]
