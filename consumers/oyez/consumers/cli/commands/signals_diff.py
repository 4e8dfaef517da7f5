"""`oyez signals diff`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated

import typer

from oyez.schemas import SchemaError, catalogue
from oyez.schemas.changes import Change, Schema, changes, signals_in
from oyez.schemas.documents import bundle

from ...settings import ListenSettings
from ..common import output
from ..common.application import loaded_of
from ..common.bundles import taking
from ..common.confirming import several
from ..common.data import text_of_file, text_of_stdin
from ..common.errors import CheckFailed, UsageProblem
from ..common.options import Json, settings_by

COLUMNS = (
    output.Column("signal", lambda row: row.signal, whole=True),
    output.Column("where", lambda row: row.where or "-"),
    output.Column("what", lambda row: row.what),
    output.Column("breaks", lambda row: row.breaks),
)


@taking(settings_by("app"))
def diff(
    *,
    old: Annotated[
        str,
        typer.Argument(metavar="OLD.json|-", help="What `oyez signals --json-schema` wrote before."),
    ],
    backward: Annotated[
        bool, typer.Option("--backward", help="Only what breaks old events: exit 0 if older readers break.")
    ] = False,
    as_json: Json = False,
    settings: ListenSettings,
) -> None:
    """Say what has changed since a document of the signals was written. Exit code 3 if something breaks.

    Old events are those that are parked, in the log, or announced by older producers. Old readers are workers that do
    not have the new code yet, or have the old one again.
    """
    before = _before(old)
    loaded_of(settings)
    catalogue.check()
    found = changes(before, signals_in(bundle(catalogue)))
    if as_json:
        output.json_array(asdict(one) for one in found)
    else:
        output.table(found, COLUMNS, empty="nothing has changed")
    broken = sum(_counts(one, backward=backward) for one in found)
    if broken:
        raise CheckFailed(f"{several(broken, 'change')} of the signals: something breaks")


def _counts(one: Change, *, backward: bool) -> bool:
    return "old events" in one.breaks if backward else bool(one.breaks)


def _before(old: str) -> Mapping[str, Schema]:
    """The schemas in the document. Raises `NotFound`, and `UsageProblem` for what is none."""
    text = text_of_stdin() if old == "-" else text_of_file(f"@{old.removeprefix('@')}")
    where = "stdin" if old == "-" else old
    try:
        return signals_in(json.loads(text))
    except (ValueError, RecursionError) as error:
        raise UsageProblem(f"{where}: not JSON: {error}") from None
    except SchemaError as error:
        raise UsageProblem(f"{where}: {error}") from None
