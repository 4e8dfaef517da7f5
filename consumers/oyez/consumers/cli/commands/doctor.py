"""`oyez doctor`."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

import typer

from oyez.producers import SettingsError
from oyez.schemas import OyezError

from ...doctor.check import Result
from ...doctor.examination import examine
from ...doctor.registry import CHECKS
from ...doctor.setup import Setup, settings_or_error
from ...handler_files import BrokenFile
from ...handlers.application import Application
from ...reports import SettingState
from ...run.looked_after import looked_after
from ...settings import ListenSettings
from ..common import output
from ..common.application import loaded_of
from ..common.bundles import Bundle, taking
from ..common.errors import CheckFailed
from ..common.options import SETTINGS, Json, settings_from
from ..common.places import states_of
from ..common.progress import progress

COLUMNS = (
    output.Column("check", lambda row: row.check, whole=True),
    output.Column("state", lambda row: row.state, whole=True),
    output.Column("found", lambda row: row.says),
    output.Column("what to do", lambda row: row.advice),
)
_FLAGS = ("app", "kafka", "topic", "database", "transport", "spools")


def _setup(context: typer.Context, **flags: Any) -> Setup:
    settings = settings_or_error(lambda: settings_from(context, **flags))
    application, broken = _application(settings)
    return Setup(_states(context, flags), settings, application, broken, wall=time.time)


def _states(context: typer.Context, flags: Mapping[str, Any]) -> Sequence[SettingState]:
    """What is set; nothing of a file that cannot be read: the settings say why."""
    try:
        return states_of(context, flags)
    except SettingsError:
        return ()


SETUP = Bundle("setup", {name: SETTINGS[name] for name in _FLAGS}, _setup)


@taking(SETUP)
def doctor(*, as_json: Json = False, setup: Setup) -> None:
    """Check all that the application stands on: settings, services, tables, topics, retention, clocks, disks.

    Changes nothing. Exit code 3 if something is wrong.
    """
    wrong: list[str] = []
    with closing(setup):
        if as_json:
            output.json_array(output.as_dict(row) for row in _noting(examine(setup), wrong))
        else:
            output.table(_noting(_looked(setup), wrong), COLUMNS, empty="there is no check")
    if wrong:
        raise CheckFailed(f"something is wrong: {', '.join(dict.fromkeys(wrong))}")


def _looked(setup: Setup) -> Sequence[Result]:
    """What all checks find. On a terminal it is said which one it is that takes so long."""
    with progress("look", len(CHECKS)) as advance:

        def began(name: str) -> None:
            advance.what = f"look at {name}"
            advance(1)

        return list(examine(setup, began=began))


def _noting(results: Iterable[Result], wrong: list[str]) -> Iterator[Result]:
    for result in results:
        if result.state == "wrong":
            wrong.append(result.check)
        yield result


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
