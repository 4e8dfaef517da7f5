"""`oyez forget` and `oyez export`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import typer

from oyez.producers.spool import own_spool
from oyez.schemas.text import flaw

from ...admin.forget import PLACES, Forgetting, Found
from ...admin.forget_spool import Removed, SpoolPlace
from ...core.counted import several
from ...database.clock import DatabaseClock
from ...database.engine import Database
from ...database.personal import Person
from ...handlers.application import Application
from ...logs.spool.folders import copies_read
from ...reports.personal import stored, whole
from ...settings import ListenSettings
from ..common import output, probes
from ..common.application import application_of, has_kafka
from ..common.bulk import BULK, BulkOptions
from ..common.bundles import taking
from ..common.confirming import confirm
from ..common.errors import NotFound, UsageProblem
from ..common.exits import FAILED
from ..common.options import settings_by
from ..common.progress import progress

Text = Annotated[str, typer.Argument(metavar="KEY|SUBJECT", help="The key, or the subject.")]
Only = Annotated[
    Literal["key", "subject"] | None,
    typer.Option("--only", help="Take it for a key, or for a subject, alone."),
]
Here = Annotated[
    bool,
    typer.Option(
        "--written-here",
        help="The logs of OYEZ_SPOOL are written on this machine, and no copies: begin a new segment in them, so that "
        "the last one is rewritten too.",
    ),
]
KAFKA = "Kafka keeps what it has until the retention of the topic ends it; nothing is removed there"


@taking(BULK, settings_by("app", "database", "spools"))
def forgets(
    *,
    text: Text,
    only: Only = None,
    written_here: Here = False,
    options: BulkOptions,
    settings: ListenSettings,
) -> None:
    """Delete all that is stored of a key or a subject: parked, dead, mails, outbox, journal, prerequisites, and what
    the spool has."""
    application = application_of(settings)
    person, folders = _person(application, text, only), copies_read(settings)
    with probes.engine_of(settings) as engine:
        database = Database(engine)
        with database.reading() as db:  # no transaction: the spool may take longer than one may be idle
            found = Found.of(stored(db, person, folders))
        total = sum(found.counts.values())
        if not total:
            raise NotFound(f"nothing is stored of {text!r} in {application.name}")
        if options.dry_run:
            _print(
                [Removed(place, found.counts[place], 0) for place in PLACES if found.counts[place]],
                options,
                settings,
            )
            return
        confirm(f"forget {several(total, 'entry')} of {text!r}, for good?", yes=options.yes)
        spool = SpoolPlace(folders, own_spool(settings), written_here=written_here)
        copy = "Kafka" if has_kafka(settings) else "the spool, or a copy of it,"
        forgetting = Forgetting(application, database, person, spool, DatabaseClock(), copy)
        with progress("forget", total, hidden=options.as_json) as advance, output.aside():
            done = list(forgetting.run(found, advance))
    _print(done, options, settings)
    if any(one.is_for_now for one in done):
        output.note("some of it was left; run the command again")
        raise typer.Exit(FAILED)


@taking(settings_by("app", "database", "spools"))
def exports(*, text: Text, only: Only = None, settings: ListenSettings) -> None:
    """Print all that is stored of a key or a subject, as one JSON object a line."""
    application = application_of(settings)
    person, folders = _person(application, text, only), copies_read(settings)
    is_any = False
    with probes.connected(settings) as db, progress("export", None, hidden=output.is_terminal()) as advance:
        for one in stored(db, person, folders):
            is_any = True
            advance(1)
            output.line(output.json_text({"where": one.where, **whole(db, one)}))
    if not is_any:
        raise NotFound(f"nothing is stored of {text!r} in {application.name}")
    _say_what_kafka_keeps(settings)


def _person(application: Application, text: str, only: str | None) -> Person:
    if reason := flaw(text):
        raise UsageProblem(f"a key or a subject {reason}: {text!r}")
    groups = tuple(application.groups)
    return Person(text, application.name, groups, only != "subject", only != "key")


def _print(done: Sequence[Removed], options: BulkOptions, settings: ListenSettings) -> None:
    if options.as_json:
        output.json_array(_as_dict(one) for one in done)
    else:
        output.table(done, COLUMNS, empty="")
        _say_what_kafka_keeps(settings)


def _say_what_kafka_keeps(settings: ListenSettings) -> None:
    if has_kafka(settings):
        output.note(KAFKA)


def _as_dict(one: Removed) -> dict[str, Any]:
    return {"where": one.where, "found": one.found, "removed": one.removed, "left": one.left, "why": one.why}


COLUMNS = (
    output.Column("where", lambda one: one.where),
    output.Column("found", lambda one: one.found),
    output.Column("removed", lambda one: one.removed),
    output.Column("left", lambda one: one.left),
    output.Column("why", lambda one: one.why),
)
