"""A request for a page, and what is at hand to answer it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import Connection, Engine
from starlette.datastructures import QueryParams
from starlette.requests import Request

from ...database import Database
from ...database.clock import Clock, DatabaseClock
from ...database.dialects.lookup import dialect_of
from ...handlers.application import Application
from ...reports.changed import mark_of
from ...settings import ListenSettings
from ..live.changes import Changes
from .access import Access, Action
from .operating import Operating
from .recent import Recent

LONGEST = 10.0
"""Seconds that one question may take."""


@dataclass(frozen=True)
class Board:
    """What all requests have in common: the application, its settings and its database. ``recent`` keeps answers that
    took long for a while; ``longest`` are the seconds that a question to the database may take."""

    application: Application
    settings: ListenSettings
    engine: Engine
    clock: Clock = field(default_factory=DatabaseClock)
    recent: Recent = field(default_factory=Recent)
    longest: float = LONGEST

    @cached_property
    def database(self) -> Database:
        """For transactions."""
        return Database(self.engine)

    @cached_property
    def changes(self) -> Changes:
        """For those who are told when something has changed."""
        return Changes(self._mark)

    @cached_property
    def operating(self) -> Operating:
        """For what is done to many deliveries."""
        return Operating(self.application, self.settings, self.database, self.clock)

    def _mark(self) -> object:
        with self.reading() as db:
            return mark_of(db)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection to ask something on; no question takes longer than ``longest``. Raises what the database
        raises."""
        with self.engine.connect() as db, dialect_of(db).limit(db, self.longest):
            yield db

    def now(self) -> float:
        """The time by the database's clock, in seconds since the epoch. Raises what the database raises."""
        with self.reading() as db:
            return self.clock(db)


@dataclass(frozen=True)
class Asked:
    """A request, and what whoever sent it may do. ``form`` are the fields that were posted."""

    board: Board
    request: Request
    access: Access
    form: Mapping[str, str] = field(default_factory=dict)

    @property
    def query(self) -> QueryParams:
        """The parameters in the address."""
        return self.request.query_params

    @property
    def path(self) -> Mapping[str, Any]:
        """The parts of the path that its pattern names."""
        return self.request.path_params

    def may(self, action: Action) -> bool:
        """Whether they may do this."""
        return action in self.access.actions

    def link(self, path: str, **query: object) -> str:
        """The address of a page of the dashboard, wherever that is mounted; what is None or empty is left out."""
        said = {name: str(value) for name, value in query.items() if value not in (None, "")}
        root = self.request.scope.get("root_path", "")
        return f"{root}{path}{'?' if said else ''}{urlencode(said)}"
