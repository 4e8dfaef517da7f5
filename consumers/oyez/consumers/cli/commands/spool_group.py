"""The group of commands `oyez spool`."""

from __future__ import annotations

from ..common.groups import CommandGroup
from .spool import ship, status, verify_all
from .spool_cat import cat

SPOOL = CommandGroup(
    "spool",
    "Look at what is kept in local files, and ship it.",
    {"status": status, "verify": verify_all, "cat": cat, "ship": ship},
)
