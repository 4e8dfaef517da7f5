"""The timeline of a key: what happened to its events, over all signals and servers, in the order of time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from oyez.schemas.declaration import Prerequisite

from ..database.delivery_row import waits_of
from ..database.tables import dead, parked
from ..handlers.application import Application
from . import timeline_rows
from .moments import (
    FIRST,
    STAYS,
    Moment,
    announced_moments,
    arrived_moments,
    dead_moment,
    in_outbox_moments,
    journaled_moment,
    mail_moments,
    parked_moment,
    scheduled_moment,
)
from .timeline_rows import Window
from .times import utc

NOBODY = ""
"""Instead of a handler: what could not be decoded is for none."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """What is known of a key. ``is_cut``: there is more of it than was asked for, and the oldest is left out."""

    key: str
    moments: Sequence[Moment]
    is_cut: bool


def timeline_of(db: Connection, application: Application, key: str, window: Window) -> Timeline:
    """The timeline of ``key`` in an application."""
    app = application.name
    known = {one.name for one in application.handlers} | timeline_rows.handlers_of(db, app)
    names = sorted({NOBODY, *known})
    of_journal = timeline_rows.journaled(db, app, key, window)
    of_parked = timeline_rows.kept(db, parked, app, names, key, window)
    of_dead = timeline_rows.kept(db, dead, app, names, key, window)
    of_scheduled = timeline_rows.scheduled_of(db, key, window)  # before the outbox: into that it moves
    of_outbox = timeline_rows.announced(db, key, window.limit)
    is_cut = any(len(rows) > window.limit for rows in (of_journal, of_parked, of_dead, of_scheduled))
    given_up = {_delivery(row) for row in of_journal if row.outcome == "dead"}
    deliveries = [
        *map(journaled_moment, of_journal),
        *map(parked_moment, of_parked),
        *(dead_moment(row) for row in of_dead if _delivery(row) not in given_up),
    ]
    events = {(one.source or "", one.event_id or "") for one in deliveries}
    moments = [
        *_explained(db, app, deliveries),
        *announced_moments(db, of_journal, of_parked, of_dead),
        *arrived_moments(db, list(application.groups), of_journal, deliveries),
        *mail_moments(db, app, names, events),
        *(moment for row in of_outbox for moment in in_outbox_moments(row)),
        *map(scheduled_moment, of_scheduled),
    ]
    moments = [one for one in moments if _is_within(one.at, window)]
    moments.sort(key=lambda one: (one.at, FIRST.index(one.what) if one.what in FIRST else len(FIRST)))
    return Timeline(key, moments[-window.limit :], is_cut or len(moments) > window.limit)


def _is_within(at: datetime, window: Window) -> bool:
    seconds = at.timestamp()
    return (window.since is None or seconds >= window.since) and (
        window.before is None or seconds < window.before
    )


def _delivery(row: Any) -> tuple[str, str, str]:
    return row.handler, row.source, row.event_id


def _explained(db: Connection, app: str, deliveries: Sequence[Moment]) -> Iterator[Moment]:
    """The same with what follows from each other: how long it lasted, and what ended it. A parked row tells of the
    journal's last word on its delivery that it is so still."""
    waits = {one for row in deliveries if (one := waits_of(row)) is not None}
    own = {Prerequisite(one.signal, one.subject) for one in deliveries if one.signal and one.subject}
    met = timeline_rows.met(db, app, waits | own)
    by = {
        Prerequisite(one.signal, one.subject): one.event_id
        for one in deliveries
        if one.what == "done" and one.signal and one.subject
    }
    for ours in _by_delivery(deliveries).values():
        known = _with_state(ours)
        for moment, later in zip(known, [*known[1:], None], strict=True):
            yield _with_end(moment, later, met, by)
    for needed in sorted(own & set(met)):
        yield Moment(utc(met[needed]), "met", needed.signal, subject=needed.subject, event_id=by.get(needed))


def _with_state(ours: list[Moment]) -> list[Moment]:
    *before, last = ours
    if last.what == "dead" or not (last.is_now and before and before[-1].what in STAYS):
        return ours
    *before, one = before
    return [*before, replace(one, is_now=True, due_at=last.due_at, attempts=last.attempts)]


def _with_end(
    one: Moment,
    later: Moment | None,
    met: Mapping[Prerequisite, float],
    by: Mapping[Prerequisite, str | None],
) -> Moment:
    lasted = None if later is None or one.what not in STAYS else (later.at - one.at).total_seconds()
    needed = waits_of(one)
    if needed is None or needed not in met:
        return replace(one, lasted=lasted)
    return replace(one, lasted=lasted, met_at=utc(met[needed]), released_by=by.get(needed))


def _by_delivery(deliveries: Iterable[Moment]) -> dict[tuple[str | None, ...], list[Moment]]:
    found: dict[tuple[str | None, ...], list[Moment]] = {}
    for one in deliveries:
        found.setdefault((one.handler, one.source, one.event_id), []).append(one)
    return found
