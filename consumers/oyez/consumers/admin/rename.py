"""Renaming a group: it goes on under another name, with all that it has in the database and in the log."""

from __future__ import annotations

from sqlalchemy import Connection

from oyez.producers import SettingsError

from ..core.counted import several
from ..database import positions
from ..database.engine import Database
from ..database.within import Within
from ..handlers.recorded_handlers import has_positions, rename_group, require_free
from ..logs.backend import LogBackend
from ..logs.offsets import GroupActive


class Renaming:
    """Gives a group of one application another name. ``old`` and ``new`` are full names; ``log`` is what the group
    reads, None if it reads none."""

    def __init__(self, database: Database, log: LogBackend | None, app: str, old: str, new: str) -> None:
        self._database = database
        self._log = log
        self._app = app
        self._old = old
        self._new = new

    def perform(self) -> int:
        """Rename it; returns its number of handlers. Raises, before anything is changed, `StartError` if there is a
        group of the new name, `SettingsError` if it has read another log, and `GroupActive`."""
        with self._database.reading() as db:
            require_free(db, self._old, self._new)
            logs = positions.logs_of(db, self._old)
        if self._log is not None:
            self._require_read(self._log, logs)
            self._require_idle(self._log, self._database)
            if not has_positions(self._database.engine, self._old):  # an at-least-once group's are in its log
                self._log.offsets(self._database).copy_committed(self._old, self._new)
        return self._database.repeat(self._rename)

    def _rename(self, db: Connection) -> int:
        """It may take minutes. Whoever has come in the meantime is seen at its end."""
        handlers = rename_group(db, app=self._app, old=self._old, new=self._new)
        if self._log is not None:
            self._require_idle(self._log, Within(db))
        return handlers

    def _require_read(self, log: LogBackend, known: set[tuple[str, str]]) -> None:
        """Another log knows nothing of the group's workers, nor of what they committed."""
        topics = sorted({topic for topic, _ in known})
        there = {ends.topic_id for ends in log.offsets(self._database).ends(topics)}
        if known and there.isdisjoint(topic_id for _, topic_id in known):
            raise SettingsError(
                f"{self._old} has read {', '.join(topics)}, but not from {log.where}; "
                f"set OYEZ_TRANSPORT, and OYEZ_KAFKA or OYEZ_SPOOL, as its workers have them; nothing was changed"
            )

    def _require_idle(self, log: LogBackend, database: Database) -> None:
        """A worker that knows the old name would find no positions, begin anew, and handle all of it twice."""
        names = [self._old, self._new]
        workers = log.inspection().workers(names, database)
        if busy := [f"{name} has {several(workers[name], 'worker')}" for name in names if workers.get(name)]:
            raise GroupActive(
                f"{' and '.join(busy)}: stop them first, {self._old} was not renamed; "
                f"one that was killed counts until the log has noticed"
            )
