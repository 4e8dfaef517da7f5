"""`oyez retry show`, `oyez dead show` and `oyez dead groups`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from typing import Annotated, Any

import typer
from sqlalchemy import Connection

from ...database.delivery_filter import Filter
from ...database.tables import dead
from ...reports import (
    DeadGroup,
    DeliveryDetails,
    ParkedDelivery,
    PauseState,
    dead_details,
    dead_groups,
    parked_details,
)
from ...settings import ListenSettings
from ..common import output, probes
from ..common.ages import by_database
from ..common.bundles import Command, taking
from ..common.errors import NotFound
from ..common.options import Json, settings_by
from ..common.unknown_names import tell_unknown
from .deliveries_filter import Handler, Source, filter_by

Events = Annotated[list[str], typer.Argument(metavar="EVENT...", help="Ids of events.")]


def _error(row: DeadGroup) -> str | None:
    return row.error if row.error or not row.wait_signal else f"waited for {row.wait_signal}"


GROUPS = (
    output.Column("count", lambda row: row.count),
    output.Column("handler", lambda row: row.handler or None, whole=True),
    output.Column("signal", lambda row: row.signal or None, wide=True, whole=True),
    output.Column("reason", lambda row: row.reason),
    output.Column("error", _error),
    output.Column("first", lambda row: row.first_died_at, wide=True),
    output.Column("last", lambda row: row.last_died_at),
    output.Column("example", lambda row: row.example, whole=True),
)


@taking(filter_by(dead), settings_by("database"))
def dead_groups_(
    *,
    wanted: Filter,
    as_json: Json = False,
    settings: ListenSettings,
) -> None:
    """Count dead letters by handler and error, the most frequent first."""
    with probes.connected(settings) as db:
        found = dead_groups(db, by_database(wanted, db))
        if not found:
            tell_unknown(db, settings, signal=wanted.signal, handler=wanted.handler)
    if as_json:
        output.json_array(output.as_dict(group) for group in found)
    else:
        output.table(found, GROUPS, empty="no dead letters")


def _command(query: Callable[[Connection, Filter], list[DeliveryDetails]], what: str, text: str) -> Command:
    """A command that shows all that is kept of events; ``what`` is what they are if they are found."""

    @taking(settings_by("database"))
    def command(
        *,
        events: Events,
        handler: Handler = None,
        source: Source = None,
        as_json: Json = False,
        settings: ListenSettings,
    ) -> None:
        with probes.connected(settings) as db:
            found = query(db, Filter(events=tuple(events), handler=handler, source=source))
            if not found:
                tell_unknown(db, settings, signal=None, handler=handler)
        _print(found, as_json=as_json)
        missing = sorted(set(events) - {one.delivery.event_id for one in found})
        if missing:
            of = "" if handler is None else f" for {handler}"
            raise NotFound(
                f"nothing is {what}{of} of {', '.join(missing)}; `oyez explain` says what became of it"
            )

    command.__doc__ = text
    return command


retry_show = _command(parked_details, "parked", "Show all that is kept of the parked deliveries of events.")
dead_show = _command(dead_details, "dead", "Show all that is kept of the dead letters of events.")


def _print(found: Sequence[DeliveryDetails], *, as_json: bool) -> None:
    if as_json:
        output.json_array(_flat(one) for one in found)
    elif found:
        output.line("\n\n".join("\n".join(_lines(one)) for one in found))


def _flat(one: DeliveryDetails) -> dict[str, Any]:
    found = asdict(one)
    return {**found.pop("delivery"), **found}


def _lines(one: DeliveryDetails) -> Iterable[str]:
    delivery = asdict(one.delivery)
    error = delivery.pop("error")
    delivery.pop("paused", None)
    for name, value in delivery.items():
        if value not in (None, ""):
            yield f"{name}\t{output.shown(value, None)}"
    if isinstance(one.delivery, ParkedDelivery) and one.delivery.paused is not None:
        yield f"paused\t{output.shown(_pause(one.delivery.paused), None)}"
    for name, value in one.headers:
        yield f"header {output.shown(name, None)}\t{output.shown(value, None)}"
    for name, text in (("error", error), ("event", _content(one))):
        if text:
            yield name
            yield from (f"  {output.shown(line, None)}" for line in text.splitlines())


def _pause(one: PauseState) -> str:
    why = f": {one.reason}" if one.reason else ""
    return f"{one.scope}, since {output.iso(one.since)}, by {one.paused_by}{why}"


def _content(one: DeliveryDetails) -> str | None:
    if one.text is None and one.base64 is None:
        return output.json_text(one.event, indent=2)
    return one.text if one.text is not None else f"(base64) {one.base64}"
