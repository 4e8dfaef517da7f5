"""`oyez signals`."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import packages_distributions, version
from typing import Annotated

import typer

from oyez.schemas import Catalogue, catalogue
from oyez.schemas.asyncapi import asyncapi
from oyez.schemas.declaration import Declaration
from oyez.schemas.documents import bundle, json_schema

from ...core.numerals import name_or_number
from ...handlers.registry import Handlers
from ...reports.catalogue import signal_row
from ...settings import ListenSettings
from ..common import completing, output
from ..common.application import loaded_of
from ..common.bundles import taking
from ..common.options import Json, settings_by

COLUMNS = (
    output.Column("name", lambda row: row.name, whole=True),
    output.Column("number", lambda row: row.number),
    output.Column("key", lambda row: row.key),
    output.Column("subject", lambda row: row.subject),
    output.Column("requires", lambda row: [f"{name} ({field})" for name, field in row.requires.items()]),
    output.Column("handlers", lambda row: row.handlers),
    output.Column("groups", lambda row: row.groups),
)


@taking(settings_by("app", "topic"))
def signals(
    *,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            autocompletion=completing.signals,
            metavar="[SIGNAL]...",
            help="Names or numbers; all if none is given.",
        ),
    ] = None,
    as_json: Json = False,
    as_schema: Annotated[
        bool,
        typer.Option("--json-schema", help="Print JSON Schema: of one signal, or of all in one document."),
    ] = False,
    as_asyncapi: Annotated[
        bool,
        typer.Option("--asyncapi", help="Print an AsyncAPI 3 document of them, and of who handles them."),
    ] = False,
    settings: ListenSettings,
) -> None:
    """List the application's signals."""
    handlers = loaded_of(settings).handlers
    catalogue.check()
    chosen = [catalogue[name_or_number(name)] for name in names or []]
    if as_asyncapi:
        document = _asyncapi(chosen or list(catalogue), handlers, settings)
        output.line(output.json_text(document, indent=2))
        return
    if as_schema:
        document = json_schema(chosen[0]) if len(chosen) == 1 else bundled(chosen or list(catalogue))
        output.line(output.json_text(document, indent=2))
        return
    rows = [signal_row(one, handlers) for one in chosen or catalogue]
    if as_json:
        output.json_array(output.as_dict(row) for row in rows)
    else:
        output.table(rows, COLUMNS, empty=f"{handlers.app} has no signals")


def bundled(chosen: Sequence[Declaration]) -> dict[str, object]:
    """One document with the schemas of some signals."""
    some = Catalogue()
    for one in chosen:
        some.add(one)
    return bundle(some)


def _asyncapi(
    chosen: Sequence[Declaration], handlers: Handlers, settings: ListenSettings
) -> dict[str, object]:
    groups: dict[str, dict[str, None]] = {}
    for handler in handlers:
        groups.setdefault(handler.group, {})[handler.declaration.name] = None
    handled = {group: list(names) for group, names in groups.items()}
    package = (settings.app or "").partition(":")[0].partition(".")[0]
    return asyncapi(handlers.app, _version_of(package), chosen, settings.topic, handled)


def _version_of(package: str) -> str:
    """The version of the distribution that has this package; 0.0.0 for one that is in none."""
    names = packages_distributions().get(package, ())
    return version(names[0]) if names else "0.0.0"
