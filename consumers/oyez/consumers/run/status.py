"""How everything stands: where the groups are, and what waits to leave."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine

from oyez.producers.passwords import shown

from ..database import outbox, scheduled
from ..database.clock import DatabaseClock
from ..database.dialects.lookup import dialect_of
from ..handlers.application import Application
from ..logs.backend import LogBackend
from ..logs.offsets import Offsets
from ..reports import GroupState, group_states
from ..reports.spool_states import states_below
from ..settings import ListenSettings
from .topics import topics_of


@dataclass(frozen=True)
class Status:
    """``places`` are the services, and how much waits in them to leave, by their names in reports; ages are in
    seconds."""

    places: Mapping[str, Any]
    groups: Sequence[GroupState]


def status_of(
    application: Application,
    settings: ListenSettings,
    engine: Engine,
    backend: LogBackend | None,
    offsets: Offsets | None,
    longest: float | None = None,
) -> Status:
    """How an application's groups stand. Without ``offsets`` the log is not asked. ``longest`` are the seconds that one
    question to the database may take; None: as long as it does."""
    groups = list(application.groups.values())
    topics = {group.name: topics_of(group, settings) for group in groups}
    with engine.connect() as db, nullcontext() if longest is None else dialect_of(db).limit(db, longest):
        journal = dialect_of(db).journal(db)
        clock = DatabaseClock()
        now = clock(db)
        states = group_states(db, groups, topics, offsets, now)
        waiting = _waiting(outbox.state(db), now) | _scheduled(scheduled.state(db, now), now)
    place = {} if offsets is None or backend is None else backend.place
    database = {"database": shown(engine.url), "sqlite_journal": journal, "clock_skew": round(clock.skew, 3)}
    return Status({**database, **waiting, **_spooled(backend, settings), **place}, states)


def _waiting(found: outbox.Outbox, now: float) -> dict[str, Any]:
    age = None if found.oldest is None else max(0.0, now - found.oldest)
    return {"outbox": found.backlog, "outbox_oldest": None if age is None else round(age, 3)}


def _scheduled(found: scheduled.State, now: float) -> dict[str, Any]:
    """How much is to be announced later, and for how long the first of it has been due."""
    late = None if found.next_due is None or found.next_due > now else round(now - found.next_due, 3)
    return {"scheduled": found.events, "scheduled_overdue": late}


def _spooled(backend: LogBackend | None, settings: ListenSettings) -> dict[str, Any]:
    """What waits in the spool to be shipped, and what is in the way of that, or of looking."""
    buffer = settings.spool if backend is None else backend.buffer
    if buffer is None:
        return {}
    found = states_below([buffer], settings.topic, time.time())
    ages = [state.oldest for state in found.states if state.oldest is not None]
    errors = [state.error for state in found.states if state.error]
    return {
        "spool_backlog": sum(state.backlog for state in found.states),
        "spool_oldest": max(ages, default=None),
        "spool_error": "; ".join([*errors, *found.unreadable]) or None,
    }
