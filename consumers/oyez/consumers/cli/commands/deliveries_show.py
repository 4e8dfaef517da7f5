"""`oyez retry show`, `oyez dead show` and `oyez dead groups`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from typing import Annotated, Any

import typer
from sqlalchemy import Connection

from ...database.delivery_filter import Filter
from ...database.tables import dead
from ...reports import DeadGroup, DeliveryDetails, dead_details, dead_groups, parked_details
from ...settings import ListenSettings
from ..common import output, probes
from ..common.exits import NotFound
from ..common.options import Database, Json, settings_from
from .deliveries_filter import filtered

Events = Annotated[list[str], typer.Argument(metavar="EVENT...", help="Ids of events.")]
Handler = Annotated[str | None, typer.Option("--handler", help="Only this handler's.")]
Source = Annotated[str | None, typer.Option("--source", help="Only events of this source.")]


def _error(row: DeadGroup) -> str | None:
    return row.error if row.error or not row.wait_signal else f"waited for {row.wait_signal}"


GROUPS = (
    output.Column("count", lambda row: row.count),
    output.Column("handler", lambda row: row.handler or None),
    output.Column("signal", lambda row: row.signal or None, wide=True),
    output.Column("reason", lambda row: row.reason),
    output.Column("error", _error),
    output.Column("first", lambda row: row.first_died_at, wide=True),
    output.Column("last", lambda row: row.last_died_at),
    output.Column("example", lambda row: row.example, whole=True),
)


@filtered(dead)
def groups(context: typer.Context, wanted: Filter, database: Database = None, as_json: Json = False) -> None:
    """Count dead letters by handler and error, the most frequent first."""
    found = _queried(settings_from(context, database=database), dead_groups, wanted)
    if as_json:
        output.json_array(output.as_dict(group) for group in found)
    else:
        output.table(found, GROUPS, empty="no dead letters")


def retry_show(
    context: typer.Context,
    events: Events,
    handler: Handler = None,
    source: Source = None,
    database: Database = None,
    as_json: Json = False,
) -> None:
    """Show all that is kept of the parked deliveries of events."""
    settings = settings_from(context, database=database)
    _show(settings, parked_details, events, handler, source, "parked", as_json=as_json)


def dead_show(
    context: typer.Context,
    events: Events,
    handler: Handler = None,
    source: Source = None,
    database: Database = None,
    as_json: Json = False,
) -> None:
    """Show all that is kept of the dead letters of events."""
    settings = settings_from(context, database=database)
    _show(settings, dead_details, events, handler, source, "dead", as_json=as_json)


def _show(
    settings: ListenSettings,
    query: Callable[[Connection, Filter], list[DeliveryDetails]],
    events: Sequence[str],
    handler: str | None,
    source: str | None,
    what: str,
    *,
    as_json: bool,
) -> None:
    wanted = Filter(events=tuple(events), handler=handler, source=source)
    found = _queried(settings, query, wanted)
    if as_json:
        output.json_array(_flat(one) for one in found)
    else:
        for at, one in enumerate(found):
            output.line("\n".join(_lines(one)) if at == 0 else "\n" + "\n".join(_lines(one)))
    missing = sorted(set(events) - {one.delivery.event_id for one in found})
    if missing:
        of = "" if handler is None else f" for {handler}"
        raise NotFound(
            f"nothing is {what}{of} of {', '.join(missing)}; `oyez explain` says what became of it"
        )


def _queried(
    settings: ListenSettings, query: Callable[[Connection, Filter], list[Any]], wanted: Filter
) -> list[Any]:
    probes.database(settings)
    engine = probes.reached(settings)
    try:
        with engine.connect() as db:
            return query(db, wanted)
    finally:
        engine.dispose()


def _flat(one: DeliveryDetails) -> dict[str, Any]:
    found = asdict(one)
    return {**found.pop("delivery"), **found}


def _lines(one: DeliveryDetails) -> Iterable[str]:
    delivery = asdict(one.delivery)
    error = delivery.pop("error")
    for name, value in delivery.items():
        if value not in (None, ""):
            yield f"{name}\t{output.shown(value, None)}"
    for name, value in one.headers:
        yield f"header {output.shown(name, None)}\t{output.shown(value, None)}"
    for name, text in (("error", error), ("event", _content(one))):
        if text:
            yield name
            yield from (f"  {output.shown(line, None)}" for line in text.splitlines())


def _content(one: DeliveryDetails) -> str | None:
    if one.text is None and one.base64 is None:
        return output.json_text(one.event, indent=2)
    return one.text if one.text is not None else f"(base64) {one.base64}"
