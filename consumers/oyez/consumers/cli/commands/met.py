"""`oyez met`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import Annotated

import typer

from oyez.schemas import catalogue
from oyez.schemas.declaration import Declaration, Prerequisite
from oyez.schemas.text import flaw

from ...admin import Record, Recorded
from ...core.numerals import name_or_number
from ...database import Database as Transactions
from ...database.clock import DatabaseClock
from ...settings import ListenSettings
from ..common import output, probes
from ..common.application import application_of
from ..common.bulk import MORE, DryRun
from ..common.bundles import taking
from ..common.data import text_of_file, text_of_stdin
from ..common.errors import UsageProblem
from ..common.options import Json, SignalName, settings_by
from ..common.progress import progress

Subjects = Annotated[
    list[str],
    typer.Argument(metavar="SUBJECT|@FILE|-...", help="Subjects; a file or stdin has one a line."),
]


@taking(settings_by("app", "database"))
def met(
    *,
    signal: SignalName,
    subjects: Subjects,
    dry_run: DryRun = False,
    as_json: Json = False,
    settings: ListenSettings,
) -> None:
    """Record subjects of a signal as handled. What waits for them is released; what died waiting is parked again."""
    app = application_of(settings).name
    declaration = catalogue[name_or_number(signal)]
    if declaration.subject is None:
        raise UsageProblem(f"{declaration.name} has no subject, so that nothing can wait for it")
    prerequisites = list(dict.fromkeys(_prerequisites(declaration, subjects)))
    probes.database(settings)
    _print(
        _recorded(settings, app, prerequisites, dry_run=dry_run, as_json=as_json),
        dry_run=dry_run,
        as_json=as_json,
    )


def _prerequisites(declaration: Declaration, given: Sequence[str]) -> Iterator[Prerequisite]:
    for where, subject in _given(given):
        if (why := flaw(subject)) is not None:
            raise UsageProblem(f"{where}: {subject[:50]!r} cannot be a subject: it {why}")
        yield Prerequisite(declaration.name, subject)


def _given(arguments: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each subject, with where it was given. Empty lines are none."""
    for argument in arguments:
        if argument == "-":
            yield from _lines("stdin", text_of_stdin())
        elif argument.startswith("@"):
            yield from _lines(argument, text_of_file(argument))
        else:
            yield argument, argument


def _lines(where: str, text: str) -> Iterator[tuple[str, str]]:
    for number, one in enumerate(text.split("\n"), 1):
        if subject := one.removesuffix("\r"):
            yield f"{where}, line {number}", subject


def _recorded(
    settings: ListenSettings, app: str, prerequisites: Sequence[Prerequisite], *, dry_run: bool, as_json: bool
) -> Recorded:
    engine = probes.reached(settings)
    try:
        record = Record(app, Transactions(engine), DatabaseClock())
        if dry_run:
            return record.look(prerequisites)
        with progress("record", len(prerequisites), hidden=as_json) as advance:
            return record.apply(prerequisites, advance)
    finally:
        engine.dispose()


def _print(done: Recorded, *, dry_run: bool, as_json: bool) -> None:
    row = vars(done).copy()
    if dry_run:
        row = {"to_record": done.recorded, "met_already": done.met_already}
    if as_json:
        output.json_array([row])
    else:
        row.pop("may_be_more", None)
        columns = [output.Column(name.replace("_", " "), itemgetter(name)) for name in row]
        output.table([row], columns, empty="")
        if done.may_be_more:
            output.note(MORE)
