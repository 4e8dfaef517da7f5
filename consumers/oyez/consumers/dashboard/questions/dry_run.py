"""What would be done: to how many deliveries, and what is to be known before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from ...database import delivery_filter
from ...database.delivery_filter import Filter
from ...run.delivery_actions import Action
from .filters import Chosen

MOST = 1_000_000
"""Deliveries to which something is done at once."""
LOOKED_AT = 10_000
"""Up to so many it is looked what else is to be known of them."""


@dataclass(frozen=True)
class DryRun:
    """``count`` is None if there are too many. ``wanted`` finds what was there when it was looked, and ``fields`` say
    that in a form; ``warnings`` are a line each."""

    count: int | None
    wanted: Filter
    fields: Mapping[str, str]
    warnings: Sequence[str]


def dry_run(db: Connection, action: Action, chosen: Chosen, now: float) -> DryRun:
    """Look what the filter finds now. Ages become moments, so that what is done later is done to the same; what is
    parked or dies from now on is not meant. ``now`` is in seconds since the epoch."""
    wanted = chosen.wanted
    wanted = replace(wanted, before=now if wanted.before is None else min(now, wanted.before))
    count = delivery_filter.count(db, action.table, wanted, MOST + 1)
    fields = {name: value for name, value in chosen.fields.items() if name not in ("newer", "older")}
    fields |= {"before": repr(wanted.before)} | (
        {} if wanted.since is None else {"since": repr(wanted.since)}
    )
    fields |= {"counted": str(count)}
    warnings = action.look(db, wanted).warnings if count <= LOOKED_AT else ()
    return DryRun(count if count <= MOST else None, wanted, fields, warnings)
