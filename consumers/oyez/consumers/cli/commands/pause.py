"""`oyez pause` and `oyez resume`."""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated

import typer
from sqlalchemy import Engine

from ...admin import NothingOfThatName, Pausing
from ...database import Database as Transactions
from ...database.clock import DatabaseClock
from ...handlers.application import Application
from ...reports import PauseState, pauses_of
from ...reports.pauses import command
from ...settings import ListenSettings
from ..common import completing, output, probes
from ..common.application import application_of
from ..common.bundles import taking
from ..common.errors import NotFound, UsageProblem
from ..common.options import Json, settings_by

COLUMNS = (
    output.Column("group", lambda row: row.group, whole=True),
    output.Column("handler", lambda row: row.handler, whole=True),
    output.Column("key", lambda row: row.key, whole=True),
    output.Column("paused since", lambda row: row.since),
    output.Column("by", lambda row: row.paused_by),
    output.Column("reason", lambda row: row.reason, brief=True),
    output.Column("resumed by", lambda row: row.resumed_by, whole=True),
)
Name = Annotated[
    str | None,
    typer.Argument(
        autocompletion=completing.groups_and_handlers,
        metavar="[GROUP|HANDLER]",
        help="A group, such as page.viewed, or a handler.",
        show_default=False,
    ),
]
Key = Annotated[
    str | None, typer.Option("--key", help="Only this key; of every handler, unless one or a group is named.")
]


@taking(settings_by("app", "database"))
def pause(
    *,
    name: Name = None,
    key: Key = None,
    reason: Annotated[str | None, typer.Option("--reason", help="Why; kept and shown with it.")] = None,
    as_json: Json = False,
    settings: ListenSettings,
) -> None:
    """Pause a group, a handler or a key until it is resumed; without any of them, list what is paused.

    Nothing is lost and no order is broken: a group reads nothing, of a handler or a key the deliveries are parked.
    """
    _check(key)
    application = application_of(settings)
    with probes.engine_of(settings) as engine:
        if name is None and key is None:
            if reason is not None:
                raise UsageProblem("--reason: say what is to be paused, a group, a handler or --key")
            _print(_held(engine, application), as_json=as_json)
            return
        pausing = _pausing(application, engine, settings)
        with _named():
            scope = pausing.scope(name, key)
        is_new = pausing.pause(scope, _who(), reason)
        _print(
            [one for one in _held(engine, application) if one.resumed_by == command(scope)], as_json=as_json
        )
    if is_new:
        output.note(
            f"{scope} is paused; workers that run hear of it within seconds, and finish what they have begun"
        )
    else:
        output.note(f"{scope} was paused before, and stays so; nothing was changed")


@taking(settings_by("app", "database"))
def resume(
    *,
    name: Name = None,
    key: Key = None,
    all_: Annotated[bool, typer.Option("--all", help="All that is paused.")] = False,
    as_json: Json = False,
    settings: ListenSettings,
) -> None:
    """Let go on what was paused. What it held up is due at once, in its order."""
    _check(key)
    if all_ is not (name is None and key is None):
        raise UsageProblem(
            "say what is to go on: a group, a handler or --key, or --all for all that is paused"
        )
    application = application_of(settings)
    with probes.engine_of(settings) as engine:
        pausing = _pausing(application, engine, settings)
        held = _held(engine, application)
        if not all_:
            with _named():
                scope = pausing.paused(name, key)
            held = [one for one in held if one.resumed_by == command(scope)]
        done = [one for one in held if pausing.resume(one.scope)]
    _print(done, as_json=as_json)


def _check(key: str | None) -> None:
    if key is not None and "\0" in key:
        raise UsageProblem(f"--key {key!r}: no event has such a key")


def _pausing(application: Application, engine: Engine, settings: ListenSettings) -> Pausing:
    return Pausing(application, Transactions(engine), DatabaseClock(), settings.max_age)


@contextmanager
def _named() -> Iterator[None]:
    try:
        yield
    except NothingOfThatName as error:
        raise NotFound(str(error)) from None


def _held(engine: Engine, application: Application) -> list[PauseState]:
    with engine.connect() as db:
        return pauses_of(db, application.name)


def _who() -> str:
    """Who gives the command, as far as the machine knows."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # one without a name, as in a container
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"


def _print(rows: Iterable[PauseState], *, as_json: bool) -> None:
    if as_json:
        output.json_array(asdict(row) for row in rows)
    else:
        output.table(rows, COLUMNS, empty="nothing is paused")
