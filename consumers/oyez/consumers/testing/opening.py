"""Making a kit in memory and on SQLite."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from oyez.producers import MemoryBroker
from oyez.producers.memory import shared_broker
from oyez.schemas import Catalogue, catalogue

from ..database.clock import DatabaseClock, moment
from ..database.engine import Database, make_engine
from ..database.migrating import upgrade
from ..handlers.application import Application
from ..handlers.registry import Handlers
from ..run.engines import engine_from
from ..run.loading import load_application
from ..settings import ListenSettings
from ..tracing.watching import watched_application
from .clock import Clock
from .kits import Kit
from .pipes import MemoryPipes
from .seeds import Seeds

App = Application | Handlers | str | None
HERE: dict[str, Any] = {"source": "test", "mail_host": None, "database_direct": None}
"""What the settings of a kit are, whatever the environment says: no mail leaves it."""


def _own_broker() -> MemoryBroker:
    return MemoryBroker(partitions=1)


BROKERS: Mapping[str, Callable[[], MemoryBroker]] = {"memory": shared_broker}
"""Where the announcers of other code put their events, by the transport that is set."""


@contextmanager
def kit(
    application: App = None,
    *,
    signals: Catalogue = catalogue,
    seed: int | None = None,
    **settings: Any,
) -> Iterator[Kit]:
    """An application in a test, with events in memory and a SQLite database of its own.

    ``application``: its `Handlers`, or where they are, such as "shop:on"; OYEZ_APP unless given. ``settings`` are those
    of `ListenSettings`, by name. ``seed``: of the first run in any order that has none of its own.

    With OYEZ_TRANSPORT=memory, what any announcer of this process announces arrives in it.

    Raises what `load_application` raises, and `SettingsError`.
    """
    with tempfile.TemporaryDirectory(prefix="oyez-kit-") as folder:
        file = Path(folder) / "oyez.db"
        file.write_bytes(_empty())
        said = ListenSettings(**HERE | settings)
        broker = BROKERS.get(said.transport, _own_broker)()
        url = {"transport": "memory", "database": f"sqlite:///{file}", "schema": None}
        here = ListenSettings(**HERE | settings | url)
        found = loaded(application, here, signals)
        engine = engine_from(here)
        try:
            database = Database(engine)
            clock = Clock(moment(database, DatabaseClock()))
            pipes = MemoryPipes(list(found.groups.values()), here, database, clock, broker)
            made = Kit(found, here, engine, clock, pipes, Seeds(seed, secrets.randbelow))
            try:
                yield made
            finally:
                made.close()
        finally:
            engine.dispose()


def loaded(application: App, settings: ListenSettings, signals: Catalogue) -> Application:
    """The application that was named or given."""
    if isinstance(application, Application):
        return application
    if isinstance(application, Handlers):
        return watched_application(Application(application, signals))
    if application is None:
        return load_application(settings)
    return load_application(settings.model_copy(update={"app": application}))


@cache
def _empty() -> bytes:
    """A SQLite file with Oyez's tables and nothing in them: to make one takes longer than most tests."""
    with tempfile.TemporaryDirectory(prefix="oyez-kit-") as folder:
        file = Path(folder) / "oyez.db"
        engine = make_engine(f"sqlite:///{file}", sqlite_journal="delete")
        upgrade(engine)
        engine.dispose()
        return file.read_bytes()
