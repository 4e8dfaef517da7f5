"""Putting a kit together, and letting go of it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from sqlalchemy import Engine

from ..database.clock import Clock as AnyClock
from ..database.clock import DatabaseClock, moment
from ..database.engine import Database
from ..handlers.application import Application
from ..run.engines import journaling_engine_from
from ..settings import ListenSettings
from .clock import Clock
from .kits import Kit
from .pipes import Pipes
from .seeds import Seeds


@contextmanager
def opened(
    application: Application,
    settings: ListenSettings,
    ready: Callable[[Engine], AbstractContextManager[object]],
    pipes: Callable[[Database, AnyClock], Pipes],
    seed: int | None = None,
) -> Iterator[Kit]:
    """A kit over the database that is set, which is made ``ready``. Its time begins with that of the database."""
    engine = journaling_engine_from(settings)
    try:
        with ready(engine):
            database = Database(engine)
            clock = Clock(moment(database, DatabaseClock()))
            seeds = Seeds(seed, secrets.randbelow)
            made = Kit(application, settings, engine, clock, pipes(database, clock), seeds)
            try:
                yield made
            finally:
                made.close()
    finally:
        engine.dispose()
