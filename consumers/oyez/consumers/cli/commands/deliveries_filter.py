"""The options that choose deliveries: the same for what is parked and for what is dead."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Annotated, Any

import typer
from sqlalchemy import Table

from ...database.delivery_filter import STATES, Filter
from ...database.tables import parked
from ..common import completing
from ..common.ages import seconds
from ..common.bundles import Bundle
from ..common.errors import UsageProblem

Handler = Annotated[
    str | None,
    typer.Option("--handler", autocompletion=completing.handler_names, help="Only this handler's."),
]
Source = Annotated[str | None, typer.Option("--source", help="Only events of this source.")]
Error = Annotated[str | None, typer.Option("--error", help="Only those whose error has this text in it.")]
EventIds = Annotated[
    list[str] | None, typer.Option("--id", metavar="EVENT", help="Only this event's; may be repeated.")
]
OPTIONS: Mapping[str, Any] = {
    "signal": Annotated[
        str | None,
        typer.Option("--signal", autocompletion=completing.signals, help="Only this signal's, by name."),
    ],
    "handler": Handler,
    "key": Annotated[str | None, typer.Option("--key", help="Only this key's.")],
    "source": Source,
    "reason": Annotated[
        str | None,
        typer.Option(
            "--reason",
            help="Of parked ones: waiting, behind or due. Of dead ones: what their reason begins with.",
        ),
    ],
    "error": Error,
    "older": Annotated[
        str | None,
        typer.Option("--older", metavar="AGE", help="Parked or dead for longer, such as 10m, 2h or 3d."),
    ],
    "newer": Annotated[
        str | None, typer.Option("--newer", metavar="AGE", help="Parked or dead for a shorter time.")
    ],
    "event": EventIds,
}


def filter_by(table: Table) -> Bundle:
    """The options that choose rows of ``table``; a command gets a `Filter`, as ``wanted``."""
    return Bundle("wanted", OPTIONS, lambda _context, **said: filter_of(table, time.time(), **said))


def filter_of(
    table: Table,
    now: float,
    *,
    older: str | None = None,
    newer: str | None = None,
    event: list[str] | None = None,
    reason: str | None = None,
    **exact: str | None,
) -> Filter:
    """The filter that these options say; ``now`` is in seconds since the epoch. Raises `UsageProblem`."""
    if table is parked and reason is not None and reason not in STATES:
        raise UsageProblem(f"--reason {reason}: what is parked is {', '.join(STATES)}")
    return Filter(
        **exact,
        reason=reason,
        before=None if older is None else now - seconds("--older", older),
        since=None if newer is None else now - seconds("--newer", newer),
        events=tuple(event or ()),
        without_error=False,
    )
