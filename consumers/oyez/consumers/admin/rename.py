"""Renaming a group: it goes on under another name, with all that it has in the database and in the log."""

from __future__ import annotations

from functools import partial

from ..database.engine import Database
from ..handlers.recorded_handlers import has_positions, rename_group, require_free
from ..logs.offsets import Offsets


class Renaming:
    """Gives a group of one application another name. ``old`` and ``new`` are full names."""

    def __init__(self, database: Database, app: str, old: str, new: str) -> None:
        self._database = database
        self._app = app
        self._old = old
        self._new = new

    def keeps_positions(self) -> bool:
        """Whether the group's positions are in the database. An at-least-once group's are in its log."""
        return has_positions(self._database.engine, self._old)

    def perform(self, offsets: Offsets | None) -> int:
        """Rename it, and what it committed in its log, unless there is none; returns its number of handlers. Raises
        `StartError` if there is a group of the new name, before anything is copied over what that one has."""
        with self._database.reading() as db:
            require_free(db, self._old, self._new)
        if offsets is not None:
            offsets.copy_committed(self._old, self._new)
        return self._database.repeat(partial(rename_group, app=self._app, old=self._old, new=self._new))
