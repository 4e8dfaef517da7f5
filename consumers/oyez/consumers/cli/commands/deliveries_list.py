"""`oyez retry list` and `oyez dead list`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice
from typing import Annotated, Any

import typer
from sqlalchemy import Connection, Table

from ...database.tables import dead, parked
from ...reports import DeadDelivery, Filter, ParkedDelivery, dead_deliveries, parked_deliveries
from ...settings import ListenSettings
from ..common import output, probes
from ..common.ages import by_database
from ..common.bundles import Command, taking
from ..common.options import Json, settings_by
from ..common.unknown_names import tell_unknown
from .deliveries_filter import filter_by

ON_A_TERMINAL = 100

Limit = Annotated[
    int | None,
    typer.Option(
        "--limit",
        min=0,
        help=f"List so many at most; 0: all. Unless said: all, {ON_A_TERMINAL} on a terminal.",
    ),
]


def _waits_for(row: ParkedDelivery | DeadDelivery) -> str | None:
    return None if row.wait_signal is None else f"{row.wait_signal} {row.wait_subject}"


def _held_by(row: ParkedDelivery) -> str | None:
    """What a parked delivery waits for; of one that is due at a time, that is said beside it."""
    if row.paused is not None:
        return f"paused: {row.paused.scope}"
    if row.lane is not None:
        return "a free lane" if row.lane == "waits" else "its lane to end"
    return _waits_for(row)


def _handler(row: ParkedDelivery | DeadDelivery) -> str | None:
    return f"{row.handler} (unregistered)" if row.unregistered else row.handler or None


EVENT = (
    output.Column("handler", _handler, whole=True),
    output.Column("signal", lambda row: row.signal or None, wide=True, whole=True),
    output.Column("key", lambda row: row.key, whole=True),
    output.Column("source", lambda row: row.source or None, wide=True, whole=True),
    output.Column("event", lambda row: row.event_id, whole=True),
    output.Column("attempts", lambda row: row.attempts, wide=True),
)
PARKED = (
    output.Column("state", lambda row: row.state),
    output.Column("parked", lambda row: row.parked_at),
    *EVENT,
    output.Column("due", lambda row: row.due_at),
    output.Column("waits for", _held_by, whole=True),
    output.Column("error", lambda row: row.error, brief=True),
)
DEAD = (
    output.Column("died", lambda row: row.died_at),
    *EVENT,
    output.Column("reason", lambda row: row.reason),
    output.Column("waited for", _waits_for, whole=True),
    output.Column("error", lambda row: row.error, brief=True),
)


def at_most(given: int | None) -> int | None:
    """One more than is shown, so that it can be said that there are more."""
    if given is None:
        return ON_A_TERMINAL + 1 if output.is_terminal() else None
    return given or None


def shown_rows(
    found: Iterator[Any], columns: Sequence[output.Column], limit: int | None, *, as_json: bool, empty: str
) -> bool:
    """Print rows that were asked for with `at_most` the limit given; on a terminal a page, unless told otherwise.
    Whether there are any."""
    first = list(islice(found, 1))
    rows = chain(first, found)
    if as_json:
        output.json_array(output.as_dict(row) for row in rows)
        return bool(first)
    is_page = limit is None and output.is_terminal()
    output.table(islice(rows, ON_A_TERMINAL) if is_page else rows, columns, empty=empty)
    if next(rows, None) is not None:
        output.note(f"there are more than {ON_A_TERMINAL}; --limit 0 shows all")
    return bool(first)


def _command(
    table: Table,
    query: Callable[[Connection, Filter, int | None], Iterator[Any]],
    columns: Sequence[output.Column],
    empty: str,
    text: str,
) -> Command:
    """A command that lists what its filter finds in a table."""

    @taking(filter_by(table), settings_by("database"))
    def command(
        *,
        wanted: Filter,
        limit: Limit = None,
        as_json: Json = False,
        settings: ListenSettings,
    ) -> None:
        with probes.connected(settings) as db:
            rows = query(db, by_database(wanted, db), at_most(limit))
            if not shown_rows(rows, columns, limit, as_json=as_json, empty=empty):
                tell_unknown(db, settings, signal=wanted.signal, handler=wanted.handler)

    command.__doc__ = text
    return command


retry_list = _command(
    parked,
    parked_deliveries,
    PARKED,
    "nothing is parked",
    "List what is parked: waiting for a prerequisite, behind an earlier event of its key, or due at a time.",
)
dead_list = _command(
    dead,
    dead_deliveries,
    DEAD,
    "no dead letters",
    "List dead letters, with the reason why each was given up.",
)
