"""What the application's own tables say is met: asks the functions of `Handlers.met_by`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from oyez.producers.database_errors import one_line
from oyez.producers.loggers import logger_named
from oyez.schemas.declaration import Prerequisite
from oyez.schemas.text import text_of

from ..core.callables import place
from ..core.stop_signals import raise_if_stop
from ..database.connection import HandlerConnection
from ..database.engine import raise_for_database
from .met_by import MetBy

log = logger_named("oyez.met_by")


@dataclass(frozen=True)
class Answer:
    """Of the prerequisites asked for: those that are met, and those of which nothing can be said, for an error."""

    met: set[Prerequisite] = field(default_factory=set)
    unsure: set[Prerequisite] = field(default_factory=set)


class Answers:
    """Asks the application's callables, one call a signal."""

    def __init__(self, app: str, met_by: Mapping[str, MetBy]) -> None:
        self._app = app
        self._met_by = dict(met_by)
        self._failing: set[str] = set()

    @property
    def signals(self) -> Sequence[str]:
        """The signals whose prerequisites may be asked for."""
        return sorted(self._met_by)

    def ask(self, db: Connection, prerequisites: Iterable[Prerequisite]) -> Answer:
        """Ask for prerequisites, in the transaction that ``db`` is in; whatever is written there is undone.

        An error is one line in the log, and says nothing of the prerequisites. Raises `DatabaseAway` and conflicts.
        """
        answer = Answer()
        if not self._met_by:
            return answer
        by_signal: dict[str, set[str]] = {}
        for prerequisite in prerequisites:
            if prerequisite.signal in self._met_by:
                by_signal.setdefault(prerequisite.signal, set()).add(prerequisite.subject)
        for signal, subjects in sorted(by_signal.items()):
            found = self._asked(HandlerConnection.over(db), signal, sorted(subjects))
            if found is None:
                answer.unsure.update(Prerequisite(signal, subject) for subject in subjects)
            else:
                answer.met.update(Prerequisite(signal, subject) for subject in subjects & found)
        return answer

    def _asked(self, db: HandlerConnection, signal: str, subjects: Sequence[str]) -> set[str | None] | None:
        savepoint = db.begin_nested()
        try:
            found = {text_of(subject) for subject in self._met_by[signal](db, subjects)}
        except BaseException as error:  # noqa: BLE001 # it is the user's code; without an answer they wait on
            raise_if_stop(error)
            raise_for_database(error, db)
            self._failed(signal, error)
            return None
        finally:
            db.undo(savepoint)
        self._answered(signal)
        return found

    def _failed(self, signal: str, error: BaseException) -> None:
        if signal not in self._failing:
            self._failing.add(signal)
            log.warning(
                "%s: met_by of %s (%s) failed, and what it is asked for counts as not met; it is asked again: %s: %s",
                self._app,
                signal,
                place(self._met_by[signal]),
                type(error).__name__,
                one_line(error),
            )

    def _answered(self, signal: str) -> None:
        if signal in self._failing:
            self._failing.remove(signal)
            log.warning("%s: met_by of %s answers again", self._app, signal)
