"""What is met by the application's own tables, for what is not recorded: see `Handlers.met_by`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from oyez.producers.database_errors import one_line
from oyez.producers.loggers import logger_named
from oyez.schemas.declaration import Declaration, Prerequisite
from oyez.schemas.text import text_of

from ..core.callables import layers, place
from ..core.stop_signals import raise_if_stop
from ..database.connection import HandlerConnection
from ..database.engine import raise_for_database
from .signature import RegistrationError

MetBy = Callable[[Connection, Sequence[str]], Iterable[str]]
"""Returns those of the subjects given for which its signal has been handled."""

log = logger_named("oyez.met_by")


def check_met_by(function: Callable[..., object], declaration: Declaration) -> None:
    """Raises `RegistrationError` for a signal or a function that cannot be asked, with the way out."""
    where = place(function)
    if declaration.subject is None:
        raise RegistrationError(
            f"{where}: met_by({declaration.name}), which has no subject to be asked for; give that signal subject="
        )
    for layer in layers(function):
        if inspect.iscoroutinefunction(layer) or inspect.isasyncgenfunction(layer):
            raise RegistrationError(
                f"{where}: coroutine functions are not supported: calling one would say nothing; write a plain def"
            )
    try:
        inspect.signature(function).bind(None, ())
    except (TypeError, ValueError):
        raise RegistrationError(
            f"{where}: met_by calls it with a connection and the subjects; write def name(db, subjects)"
        ) from None


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
