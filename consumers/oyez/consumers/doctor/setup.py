"""What is looked at: the settings, the application, and the services that are set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import cached_property
from typing import TypeVar

from sqlalchemy import Connection, Engine

from oyez.producers import SettingsError
from oyez.schemas import OyezError

from ..database import Database
from ..handler_files import BrokenFile
from ..handlers.application import Application
from ..logs.backend import LogBackend
from ..logs.inspection import Inspection
from ..logs.lookup import find_log_backend
from ..reports import SettingState
from ..run.engines import engine_from
from ..settings import ListenSettings

T = TypeVar("T")


class NoLog(OyezError):
    """The transport that is set leaves nothing to listen to."""


class Setup:
    """Each part is made when it is asked for, once. What cannot be made raises why, each time that it is asked for."""

    def __init__(
        self,
        states: Sequence[SettingState],
        settings: ListenSettings | OyezError,
        application: Application | OyezError,
        broken: Sequence[BrokenFile] = (),
        *,
        wall: Callable[[], float],
    ) -> None:
        """``settings`` and ``application`` are errors where they could not be read. ``broken`` are the event files that
        do not run; ``wall`` is this machine's clock, in seconds since the epoch."""
        self.states = states
        self.broken = broken
        self.wall = wall
        self._settings = settings
        self._application = application

    @property
    def settings(self) -> ListenSettings:
        """Raises what is wrong with them."""
        return _or_raise(self._settings)

    @property
    def application(self) -> Application:
        """Raises why there is none."""
        return _or_raise(self._application)

    @property
    def is_named(self) -> bool:
        """Whether an application is set, or was given."""
        return not isinstance(self._application, OyezError) or bool(self.settings.app)

    @cached_property
    def engine(self) -> Engine:
        """Of the database that is set, with a few connections. Raises `DatabaseError`."""
        return engine_from(self.settings)

    @property
    def database(self) -> Database:
        """The same, for transactions."""
        return Database(self.engine)

    def connected(self) -> AbstractContextManager[Connection]:
        """A connection to it, for reading. Raises `DatabaseAway`."""
        return self.database.reading()

    @cached_property
    def backend(self) -> LogBackend:
        """The log that is set. Raises `NoLog`."""
        found = find_log_backend(self.settings)
        if found is None:
            raise NoLog(f"the transport {self.settings.transport} leaves nothing to listen to")
        return found

    @property
    def has_log(self) -> bool:
        """Whether events leave into a log. Else they are handled where they are announced."""
        return find_log_backend(self.settings) is not None

    @cached_property
    def inspection(self) -> Inspection:
        """What the log says of itself."""
        return self.backend.inspection()

    def close(self) -> None:
        """Let go of connections."""
        if "engine" in self.__dict__:
            self.engine.dispose()


def _or_raise(found: T | OyezError) -> T:
    if isinstance(found, OyezError):
        raise found
    return found


def settings_or_error(make: Callable[[], ListenSettings]) -> ListenSettings | SettingsError:
    """The settings, or what is wrong with them."""
    try:
        return make()
    except SettingsError as error:
        return error
