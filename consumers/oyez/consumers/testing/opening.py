"""Making a kit in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any

from oyez.producers import MemoryBroker, SettingsError
from oyez.producers.memory import shared_broker
from oyez.schemas import Catalogue, catalogue

from ..database.clock import Clock
from ..database.engine import Database
from ..handlers.application import Application
from ..handlers.registry import Handlers
from ..run.loading import application_from
from ..settings import ListenSettings
from .databases import fresh_file, lent
from .kits import Kit
from .opened import opened
from .pipes import MemoryPipes

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
    database: str | None = None,
    signals: Catalogue = catalogue,
    seed: int | None = None,
    **settings: Any,
) -> Iterator[Kit]:
    """An application in a test, with events in memory and a SQLite database of its own.

    ``application``: its `Handlers`, or where they are, such as "shop:on"; OYEZ_APP unless given. ``database``: the URL
    of another one, for tests only; what it has of Oyez's in the end is deleted. ``settings`` are those of
    `ListenSettings`, by name. ``seed``: of the first run in any order that has none of its own.

    With OYEZ_TRANSPORT=memory, what any announcer of this process announces arrives in it.

    Raises what `load_application` raises, `SettingsError`, and `NotForTests` for a database that is in use.
    """
    if database is not None:
        with _in_memory(application, signals, seed, lent, {"database": database, **settings}) as made:
            yield made
        return
    with fresh_file() as file:
        own = {**settings, "database": file, "schema": None}
        with _in_memory(application, signals, seed, nullcontext, own) as made:
            yield made


@contextmanager
def _in_memory(
    application: App, signals: Catalogue, seed: int | None, ready: Callable[..., Any], said: dict[str, Any]
) -> Iterator[Kit]:
    broker = BROKERS.get(ListenSettings(**HERE | said).transport, _own_broker)()
    settings = ListenSettings(**HERE | said | {"transport": "memory"})
    found = loaded(application, settings, signals)
    groups = list(found.groups.values())

    def pipes(database: Database, clock: Clock) -> MemoryPipes:
        return MemoryPipes(groups, settings, database, clock, broker)

    with opened(found, settings, ready, pipes, seed) as made:
        yield made


def loaded(application: App, settings: ListenSettings, signals: Catalogue) -> Application:
    """The application that was named or given. Raises `SettingsError` if none was."""
    if isinstance(application, Application):
        return application
    if isinstance(application, Handlers):
        return Application(application, signals)
    said = settings.app if application is None else application
    if not said:
        raise SettingsError(
            "no application: set oyez_app in pytest's configuration, mark the test with "
            '@pytest.mark.oyez("module:handlers"), give it to kit(), or set OYEZ_APP'
        )
    return application_from(settings.model_copy(update={"app": said}))
