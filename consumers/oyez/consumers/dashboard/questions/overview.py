"""How everything stands, as `oyez status` says it. What a log that is away leaves unknown is said in one line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...cli.common.reporting import log_away
from ...database import Database
from ...handlers.application import Application
from ...logs.lookup import find_log_backend
from ...reports import GroupState
from ...run.status_unasked import status_or_why_not
from ...settings import ListenSettings

SPOOL_ERROR = "spool_error"


@dataclass(frozen=True)
class Overview:
    """``away`` says why the log has not answered. ``troubles`` are what is wrong, a line each, and where."""

    app: str
    places: Mapping[str, Any]
    groups: Sequence[GroupState]
    troubles: Sequence[tuple[str, str]]
    away: str | None


def overview(
    application: Application, settings: ListenSettings, database: Database, longest: float
) -> Overview:
    """Ask for all of it, ``longest`` seconds for one question at most. Raises what the database raises."""
    backend = find_log_backend(settings)
    with database.reading():  # says that the database is away before anything else does
        pass
    status, why = status_or_why_not(application, settings, database.engine, backend, longest)
    places = {name: value for name, value in status.places.items() if name != SPOOL_ERROR}
    troubles = _troubles(status.groups)
    if status.places.get(SPOOL_ERROR):
        troubles.append(("spool", status.places[SPOOL_ERROR]))
    return Overview(application.name, places, status.groups, troubles, log_away(why))


def _troubles(groups: Sequence[GroupState]) -> list[tuple[str, str]]:
    found = []
    for group in groups:
        for one in group.partitions:
            where = f"{group.group}, {one.topic} {one.partition}"
            if one.halted:
                found.append((where, f"halted: {one.halted}"))
            if one.trouble:
                found.append((where, one.trouble))
        if group.unregistered:
            found.append(
                (group.group, f"{group.unregistered} parked of handlers that the application does not have")
            )
        found += [
            (group.group, f"keys of {one.source} are misplaced: {one.advice}") for one in group.misplaced
        ]
    return found
