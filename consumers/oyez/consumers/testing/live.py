"""Making a kit on a real Kafka and a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from sqlalchemy import Engine

from oyez.producers import Transport
from oyez.producers.lookup import transport_from
from oyez.schemas import Catalogue, catalogue

from ..database.clock import Clock
from ..database.engine import Database
from ..database.migrating import upgrade
from ..handlers.application import Group
from ..logs.log import Log
from ..outbox.relay import Relayed
from ..run.assembly import log_for, relay_for
from ..run.topics import readers_of
from ..settings import ListenSettings
from .kafka_topics import count_records, make_topics
from .kits import Kit
from .opened import opened
from .opening import HERE, App, loaded
from .orders import Arrival, AsAnnounced, Order
from .real_services import Services, fresh_database, unique


class LivePipes:
    """Events go through the broker, as they do elsewhere."""

    def __init__(
        self, settings: ListenSettings, topics: Collection[str], database: Database, clock: Clock
    ) -> None:
        self._settings = settings
        self._topics = topics
        self._brought = count_records(settings.kafka, topics)
        self._engine = database.engine
        self._relay = relay_for(settings, database.engine, clock)

    def announced(self) -> Sequence[Arrival]:
        raise ValueError("announced is for kits in memory: here it is in Kafka")

    def bring(self, order: Order) -> int:
        """Nothing but Kafka decides about the order. ValueError for one that somebody else decides."""
        if not isinstance(order, AsAnnounced):
            raise ValueError("run(order='any') is for kits in memory: here Kafka decides")
        before, self._brought = self._brought, count_records(self._settings.kafka, self._topics)
        return self._brought - before

    def transport(self) -> Transport:
        return transport_from(self._settings)

    def join(self, group: Group, order: Order) -> Log:
        return log_for(group, self._settings, self._engine)

    def relay(self) -> Relayed:
        return self._relay.run()

    def close(self) -> None:
        self._relay.close(self._settings.flush_timeout)


@contextmanager
def live_kit(
    at: Services, application: App = None, *, signals: Catalogue = catalogue, **settings: Any
) -> Iterator[Kit]:
    """An application in a test, on a real Kafka and PostgreSQL, with topics and a database of its own. The rest is as
    for `kit`, but that ``order="any"`` is not to be had: Kafka decides."""
    with fresh_database(at.postgres) as url:
        real = {"transport": "kafka", "kafka": at.kafka, "database": url, "topic": unique("oyez-test")}
        said = ListenSettings(**HERE | settings | real)
        found = loaded(application, said, signals)
        read = {said.topic, *readers_of(found, said)}
        make_topics(at.kafka, read)
        topics = read | {one.topic or said.topic for one in found.signals}
        with opened(
            found, said, _upgraded, lambda database, clock: LivePipes(said, topics, database, clock)
        ) as made:
            yield made


def _upgraded(engine: Engine) -> AbstractContextManager[None]:
    upgrade(engine)
    return nullcontext()
