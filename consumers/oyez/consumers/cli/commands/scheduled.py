"""`oyez scheduled list` and `oyez scheduled cancel`."""

from __future__ import annotations

from collections.abc import Mapping
from operator import itemgetter
from typing import Annotated, Any

import typer

from ...admin import Steps
from ...admin.cancel import Cancel
from ...database import Database as Transactions
from ...database import scheduled
from ...database.clock import DatabaseClock
from ...database.scheduled import ScheduledFilter
from ...reports.scheduled import scheduled_events
from ...settings import ListenSettings
from ..common import completing, output, probes
from ..common.ages import age_of, due_before
from ..common.bulk import BULK, BulkOptions, apply
from ..common.bundles import Bundle, taking
from ..common.options import Json, settings_by
from ..common.unknown_names import tell_unknown
from .deliveries_filter import EventIds, Source
from .deliveries_list import Limit, at_most, shown_rows

OPTIONS: Mapping[str, Any] = {
    "signal": Annotated[
        str | None,
        typer.Option("--signal", autocompletion=completing.signals, help="Only this signal's, by name."),
    ],
    "key": Annotated[str | None, typer.Option("--key", help="Only this key's.")],
    "source": Source,
    "until": Annotated[
        str | None,
        typer.Option(
            "--until", metavar="WHEN", help="Only what is due until then: 10m, 2h, 3d, or ISO 8601."
        ),
    ],
    "event": EventIds,
}


def _wanted(
    _context: typer.Context, *, until: str | None, event: list[str] | None, **exact: Any
) -> ScheduledFilter:
    within = None if until is None else age_of(until)
    before = None if until is None or within is not None else due_before("--until", until)
    return ScheduledFilter(**exact, before=before, within=within, events=tuple(event or ()))


FILTER = Bundle("wanted", OPTIONS, _wanted)
COLUMNS = (
    output.Column("due", lambda row: row.due_at),
    output.Column("signal", lambda row: row.signal, whole=True),
    output.Column("key", lambda row: row.key, whole=True),
    output.Column("source", lambda row: row.source, wide=True, whole=True),
    output.Column("event", lambda row: row.event_id, whole=True),
    output.Column("subject", lambda row: row.subject, wide=True, whole=True),
    output.Column("scheduled", lambda row: row.scheduled_at, wide=True),
)


@taking(FILTER, settings_by("database"))
def scheduled_list(
    *,
    wanted: ScheduledFilter,
    limit: Limit = None,
    as_json: Json = False,
    settings: ListenSettings,
) -> None:
    """List what is to be announced later, the next first."""
    with probes.connected(settings) as db:
        now = DatabaseClock()(db)
        rows = scheduled_events(db, wanted.by(now), at_most(limit), now)
        if not shown_rows(rows, COLUMNS, limit, as_json=as_json, empty="nothing is scheduled"):
            tell_unknown(db, settings, signal=wanted.signal)


@taking(FILTER, BULK, settings_by("database"))
def scheduled_cancel(
    *,
    wanted: ScheduledFilter,
    options: BulkOptions,
    settings: ListenSettings,
) -> None:
    """Cancel what is to be announced later.

    What is in the outbox already leaves.
    """
    with probes.engine_of(settings) as engine:
        database = Transactions(engine)
        with database.reading() as db:
            wanted = wanted.by(DatabaseClock()(db))
            ids = scheduled.chosen(db, wanted)
            if not ids:
                tell_unknown(db, settings, signal=wanted.signal)
        steps = Steps(database)
        tally = apply(
            "cancel", ids, options, lambda advance: steps.apply(Cancel(), ids, wanted, advance), noun="event"
        )
    row = {"matched": len(ids), **({} if options.dry_run else {"canceled": tally.done})}
    if options.as_json:
        output.json_array([row])
    else:
        output.table([row], [output.Column(name, itemgetter(name)) for name in row], empty="")
