"""`oyez timeline`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated

import typer

from ...database.clock import DatabaseClock
from ...database.journal import missing_from
from ...reports import Moment, Window, timeline_of
from ...reports.moments import STAYS
from ...settings import ListenSettings
from ..common import output, probes
from ..common.ages import seconds
from ..common.application import application_of
from ..common.bundles import taking
from ..common.errors import NotFound
from ..common.options import Json, settings_by

Newer = Annotated[
    str | None, typer.Option("--newer", metavar="AGE", help="Only what is newer, such as 10m, 2h or 3d.")
]
Older = Annotated[str | None, typer.Option("--older", metavar="AGE", help="Only what is older.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=100_000, help="The newest so many at most.")]


@taking(settings_by("app", "database"))
def timelines(
    *,
    key: Annotated[str, typer.Argument(metavar="KEY", help="The visitor session, or what else the key is.")],
    newer: Newer = None,
    older: Older = None,
    limit: Limit = 1000,
    as_json: Json = False,
    settings: ListenSettings,
) -> None:
    """Show all that is known of a key, over all signals and servers, in the order of time."""
    ages = [
        None if age is None else seconds(name, age) for name, age in (("--newer", newer), ("--older", older))
    ]
    found = application_of(settings)
    with probes.connected(settings) as db:
        now = DatabaseClock()(db)
        since, before = (None if age is None else now - age for age in ages)
        known = timeline_of(db, found, key, Window(since, before, limit))
    if as_json:
        output.json_array(output.as_dict(one) for one in known.moments)
    elif known.moments:
        output.table(known.moments, COLUMNS, empty="")
    if known.is_cut:
        output.note(
            f"there is more: these are the newest {limit}; --limit shows more, --older what is before"
        )
    if not as_json or not known.moments:
        _say_journal(settings, key)
    if not known.moments:
        raise NotFound(
            f"nothing is known of the key {key!r} in {found.name}; what is not read yet is not known here"
        )


def _say_journal(settings: ListenSettings, key: str) -> None:
    """Why what was done may be missing."""
    if (missing := missing_from(settings.journal, settings.journal_share, key)) is not None:
        output.note(f"{missing}; OYEZ_JOURNAL=all keeps everything from now on")


def _details(one: Moment) -> str | None:
    return "; ".join(_parts(one)) or None


def _parts(one: Moment) -> Iterator[str]:
    if one.what == "announced":
        yield f"by {one.source}"
    if one.what == "arrived":
        yield f"in {one.group}"
    if one.mail is not None:
        yield f"mail {one.mail}: {one.mail_state}"
    if one.reason:
        yield one.reason
    yield from _waits(one)
    if one.seconds is not None and one.what in ("done", "dead", "retried"):
        yield f"in {_took(one.seconds)}{_with_others(one.together or 1)}"
    if one.due_at is not None:
        yield f"due {output.shown(one.due_at, datetime.now(UTC) if output.is_terminal() else None)}"
    if one.is_now and one.what in STAYS:
        yield "still"
    if (one.attempts or 0) > 1:
        yield f"attempt {one.attempts}"
    if one.error:
        yield one.error.partition("\n")[0]


def _waits(one: Moment) -> Iterator[str]:
    """What it waits for, and what met it."""
    if one.what == "met":
        yield f"{one.signal} {one.subject!r}" + (f" by {one.event_id}" if one.event_id else "")
    if one.wait_signal is not None:
        yield f"for {one.wait_signal} {one.wait_subject!r}"
    if one.lasted is not None:
        yield f"for {_took(one.lasted)}"
    if one.met_at is not None:
        by = f" by {one.released_by}" if one.released_by else ""
        yield f"met{by}" if output.is_terminal() else f"met{by} at {output.iso(one.met_at)}"


def _with_others(together: int) -> str:
    return f" with {together - 1} others" if together > 1 else ""


def _took(seconds: float) -> str:
    return (
        f"{seconds * 1000:.0f} ms"
        if seconds < 1
        else f"{seconds:.1f} s"
        if seconds < 60
        else output.span(seconds)
    )


COLUMNS = (
    output.Column("at", lambda one: one.at),
    output.Column("what", lambda one: one.what),
    output.Column("signal", lambda one: one.signal, whole=True),
    output.Column("event", lambda one: one.event_id, whole=True),
    output.Column("source", lambda one: one.source, wide=True, whole=True),
    output.Column("handler", lambda one: one.handler, whole=True),
    output.Column("details", _details),
)
