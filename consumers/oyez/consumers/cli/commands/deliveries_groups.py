"""The groups of commands `oyez retry` and `oyez dead`."""

from __future__ import annotations

from ..common.groups import CommandGroup
from .deliveries_admin import dead_discard, dead_retry, retry_discard, retry_release
from .deliveries_list import dead_list, retry_list
from .deliveries_show import dead_groups_, dead_show, retry_show

RETRY = CommandGroup(
    "retry",
    "Look at what is parked in the retry table, and change it.",
    {"list": retry_list, "show": retry_show, "release": retry_release, "discard": retry_discard},
)
DEAD = CommandGroup(
    "dead",
    "Look at dead letters, which were given up, and change them.",
    {
        "list": dead_list,
        "groups": dead_groups_,
        "show": dead_show,
        "retry": dead_retry,
        "discard": dead_discard,
    },
)
