"""Shipping what is in the spool: in order, marking what the broker has acknowledged.

What is named here is imported when it is used: who looks at a spool needs not what writes to it.
"""

from typing import TYPE_CHECKING

from ..when_used import names_when_used

if TYPE_CHECKING:
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

if not TYPE_CHECKING:  # a type checker would believe that every name is there
    __getattr__, __dir__ = names_when_used(
        __name__,
        {
            "LogShipper": ".log_shipper",
            "Mark": ".mark",
            "Pass": ".spool_shipper",
            "SpoolShipper": ".spool_shipper",
            "Stuck": ".log_shipper",
            "Trouble": ".trouble",
            "Troubles": ".trouble",
            "count_refused": ".refused",
        },
    )
