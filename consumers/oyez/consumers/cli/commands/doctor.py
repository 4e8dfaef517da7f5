"""`oyez doctor`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import typer

from oyez.schemas import OyezError

from ...doctor.check import Result
from ...doctor.examination import examine, nobody
from ...doctor.setup import Setup, settings_or_error
from ...handler_files import BrokenFile
from ...handlers.application import Application
from ...run.looked_after import looked_after
from ...settings import ListenSettings
from ..common import output
from ..common.application import loaded_of
from ..common.bundles import Bundle, taking
from ..common.errors import CheckFailed
from ..common.options import SETTINGS, Json, settings_from
from ..common.places import states_of

COLUMNS = (
    output.Column("check", lambda row: row.check, whole=True),
    output.Column("state", lambda row: row.state, whole=True),
    output.Column("found", lambda row: row.says),
    output.Column("what to do", lambda row: row.advice),
)
_FLAGS = ("app", "kafka", "topic", "database", "transport", "spools")


def _setup(context: typer.Context, **flags: Any) -> Setup:
    states = states_of(context, flags)
    settings = settings_or_error(lambda: settings_from(context, **flags))
    application, broken = _application(settings)
    return Setup(states, settings, application, broken, wall=time.time)


SETUP = Bundle("setup", {name: SETTINGS[name] for name in _FLAGS}, _setup)


@taking(SETUP)
def doctor(*, as_json: Json = False, setup: Setup) -> None:
    """Check all that the application stands on: settings, services, tables, topics, retention, clocks, disks.

    Changes nothing. Exit code 3 if something is wrong.
    """
    wrong: list[str] = []
    with closing(setup), _progress() as began:
        rows = _noting(examine(setup, began=began), wrong)
        if as_json:
            output.json_array(output.as_dict(row) for row in rows)
        else:
            output.table(rows, COLUMNS, empty="there is no check")
    if wrong:
        raise CheckFailed(f"something is wrong: {', '.join(dict.fromkeys(wrong))}")


def _noting(results: Iterator[Result], wrong: list[str]) -> Iterator[Result]:
    for result in results:
        if result.state == "wrong":
            wrong.append(result.check)
        yield result


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """On a terminal, which check it is that takes so long."""
    if not (output.is_terminal() and sys.stderr.isatty()):
        yield nobody
        return
    from rich.console import Console  # noqa: PLC0415 # rich is for terminals alone

    with Console(stderr=True).status("looking …") as status:
        yield lambda name: status.update(f"looking at: {name} …")


def _application(
    settings: ListenSettings | OyezError,
) -> tuple[Application | OyezError, tuple[BrokenFile, ...]]:
    """The application and its event files that are broken; the error that keeps it from starting."""
    if isinstance(settings, OyezError):
        return settings, ()
    try:
        loaded = loaded_of(settings)
        return looked_after(Application(loaded.handlers)), tuple(loaded.broken)
    except OyezError as error:
        return error, ()
