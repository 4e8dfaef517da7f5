"""Pausing and resuming a group, a handler or a key."""

from __future__ import annotations

from functools import partial

from sqlalchemy import Connection

from oyez.schemas import OyezError
from oyez.schemas.nearest import meant_or_all

from ..database import notices, pauses
from ..database.clock import Clock
from ..database.engine import Database
from ..database.pauses import ANY, Scope
from ..handlers.application import Application


class NothingOfThatName(OyezError):
    """There is no such group, handler or pause; the message names what is near."""


class Pausing:
    """What an operator does to the pauses of an application. Each is one short transaction: that a pause holds is
    seen when something is read or claimed, and no delivery has to be changed."""

    def __init__(self, application: Application, database: Database, clock: Clock, max_age: float) -> None:
        """``max_age``: seconds after which the application gives up what waits, unless a handler says otherwise."""
        self._application = application
        self._database = database
        self._clock = clock
        own = [one.retry.max_age for one in application.handlers if one.retry is not None]
        self._longest = max([max_age, *(age for age in own if age is not None)])

    def scope(self, name: str | None, key: str | None) -> Scope:
        """What is meant by the name of a group, full or short, or of a handler, and by a key. Raises
        `NothingOfThatName`."""
        if name is None:
            return Scope(key=key or ANY)
        groups, handlers = self._groups(), [one.name for one in self._application.handlers]
        if name in groups:
            return Scope(group=groups[name], key=key or ANY)
        if name in handlers:
            return Scope(handler=name, key=key or ANY)
        raise NothingOfThatName(
            f"{self._application.name} has no group and no handler {name}; {meant_or_all(name, [*groups, *handlers])}"
        )

    def pause(self, scope: Scope, paused_by: str, reason: str | None) -> bool:
        """Pause it, and wake the workers; False if it is paused already, and nothing was changed."""
        return self._database.repeat(partial(self._pause, scope=scope, paused_by=paused_by, reason=reason))

    def paused(self, name: str | None, key: str | None) -> Scope:
        """What is meant of that which is paused, groups and handlers too that the application does not have any more.
        Raises `NothingOfThatName`."""
        with self._database.reading() as db:
            held = [one.scope for one in pauses.read(db, self._application.name) if one.holds]
        full = self._groups().get(name or ANY, name or ANY)
        for one in held:
            if (key or ANY) == one.key and (full in {one.group, one.handler} if full else _is_of_all(one)):
                return one
        asked = " ".join(filter(None, [name, key and f"--key {key}"]))
        paused = "; ".join(map(str, held)) or "nothing"
        raise NothingOfThatName(f"{asked} is not paused; paused is: {paused}")

    def resume(self, scope: Scope) -> bool:
        """Let it go on, and wake the workers; False if it is not paused any more."""
        return self._database.repeat(partial(self._resume, scope=scope))

    def _pause(self, db: Connection, scope: Scope, paused_by: str, reason: str | None) -> bool:
        app, now = self._application.name, self._clock(db)
        is_new = pauses.begin(db, app, scope, paused_by, reason, now)
        if is_new:
            notices.notify(db, self._concerned(scope))
        return is_new

    def _resume(self, db: Connection, scope: Scope) -> bool:
        app, now = self._application.name, self._clock(db)
        was_paused = pauses.end(db, app, scope, now)
        pauses.forget(db, app, now - self._longest)
        if was_paused:
            notices.notify(db, self._concerned(scope))
        return was_paused

    def _concerned(self, scope: Scope) -> set[str]:
        """The groups whose workers are to hear of it."""
        if scope.group:
            return {scope.group}
        return {one.group for one in self._application.handlers if scope.handler in (ANY, one.name)}

    def _groups(self) -> dict[str, str]:
        """Each group's full name, by that and by the short one."""
        full = {name: name for name in self._application.groups}
        return {name.removeprefix(f"{self._application.name}."): name for name in full} | full


def _is_of_all(scope: Scope) -> bool:
    return not scope.group and not scope.handler
