"""A log that Oyez does not know is added in one file: this one. It keeps its records in this process's memory."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from consumers.pipeline import Opened, Placed, effects, known, note, one_line, placed
from oyez.consumers import Application, HandlerAnnouncer, Handlers, ListenSettings
from oyez.consumers.cli.common.offsets import offsets_in
from oyez.consumers.core.apart import OWN
from oyez.consumers.core.counted import Unit
from oyez.consumers.database import make_engine, outbox
from oyez.consumers.database.engine import Database
from oyez.consumers.instrumentation.emitter import logging_instrument
from oyez.consumers.logs.inspection import Inspection
from oyez.consumers.logs.log import Log
from oyez.consumers.logs.lookup import GROUP, log_backend
from oyez.consumers.logs.memory import MemoryGroup
from oyez.consumers.logs.offsets import AT_LEAST_ONCE, Ends, Offsets, PartitionEnds
from oyez.consumers.logs.settings import LogSettings
from oyez.consumers.logs.tail import Tail
from oyez.consumers.processes.spec import Place
from oyez.consumers.reports import group_states
from oyez.consumers.run.assembly import relay_for
from oyez.consumers.run.bounded_pass import one_pass
from oyez.consumers.run.connections import Connections
from oyez.consumers.run.crew import Crew
from oyez.consumers.run.sweep_pass import Sweeper
from oyez.consumers.run.topics import topics_of
from oyez.producers import Announcer, MemoryBroker, MemoryTransport, Settings, SettingsError
from oyez.schemas import Signal
from support.plugins import install


class AnotherService:
    """What would be a server: records by topic, and what groups committed."""

    def __init__(self) -> None:
        self.broker = MemoryBroker(partitions=2)
        self.groups: dict[str, MemoryGroup] = {}

    def end(self) -> int:
        """How many records there are."""
        return sum(self.broker.end("t", number) for number in range(2))

    def group(self, name: str, topics: Sequence[str]) -> MemoryGroup:
        return self.groups.setdefault(name, MemoryGroup(self.broker, topics))


SERVICES: dict[str, AnotherService] = {}
"""By address, as a network would find them."""


class AnotherOffsets:
    """See `Offsets`."""

    unit: Unit = "records"

    def __init__(self, service: AnotherService) -> None:
        self._service = service

    def ends(self, topics: Iterable[str]) -> list[Ends]:
        broker = self._service.broker
        return [
            Ends(
                topic,
                broker.topic_id(topic),
                {n: PartitionEnds(0, broker.end(topic, n)) for n in range(broker.partitions(topic))},
            )
            for topic in sorted(set(topics))
        ]

    def committed(self, group: str, logs: Iterable[Ends]) -> dict[tuple[str, int], int]:
        wanted = {log.topic for log in logs}
        kept = self._service.group(group, sorted(wanted)).offsets
        return {
            (p.topic, p.number): at
            for p, (at, promise) in kept.items()
            if promise == AT_LEAST_ONCE and p.topic in wanted
        }

    def commit(self, group: str, offsets: Mapping[tuple[str, int], int], promise: str) -> None:
        raise NotImplementedError

    def at(self, log: Ends, time: float) -> dict[int, int | None]:
        raise NotImplementedError

    def is_begin(self, log: Ends, number: int, offset: int) -> bool:
        return True

    def copy_committed(self, old: str, new: str) -> int:
        raise NotImplementedError

    def kept_for(self) -> None:
        """For ever."""


class AnotherBackend:
    """See `LogBackend`."""

    buffer: Path | None = None
    unit: Unit = "records"

    def __init__(self, address: str) -> None:
        self.where = f"another log at {address}"
        self.place: Mapping[str, str] = {"another": address}
        self._service = SERVICES[address]

    def check(self) -> None:
        """Nothing is named."""

    def probe(self) -> None:
        """It is in this process."""

    def join(self, group: str, topics: Sequence[str], database: Database, worker: int | None = None) -> Log:
        return self._service.group(group, topics).join()

    def join_alone(self, group: str, topics: Sequence[str], database: Database) -> Log | None:
        found = self._service.group(group, topics)
        return None if found.members else found.join()

    def offsets(self, database: Database) -> Offsets:
        return AnotherOffsets(self._service)

    def tail(self, topics: Collection[str]) -> Tail:
        raise NotImplementedError

    def inspection(self) -> Inspection:
        raise NotImplementedError

    def retention(self, readers: Mapping[str, AbstractSet[str]]) -> None:
        """Nothing is removed."""


def log_from(settings: LogSettings) -> AnotherBackend:
    return AnotherBackend(settings.kafka)


def transport_from(settings: Settings) -> MemoryTransport:
    return MemoryTransport(SERVICES[settings.kafka].broker)


@pytest.fixture
def settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pipeline_database: str
) -> Iterator[ListenSettings]:
    """An application on the new log, each time on a service of its own."""
    points = {
        GROUP: {"another": f"{__name__}:log_from"},
        "oyez.transports": {"another": f"{__name__}:transport_from"},
    }
    install(tmp_path / "installed", "another", points)
    monkeypatch.syspath_prepend(str(tmp_path / "installed"))
    SERVICES["here"] = AnotherService()
    yield ListenSettings(
        transport="another", kafka="here", topic="t", database=pipeline_database, source="web"
    )
    del SERVICES["here"]


def shop() -> Application:
    on = Handlers("shop")

    @on(Placed)
    def place(event: Placed, db: Session, announcer: HandlerAnnouncer) -> None:
        note(db, "place", event.n)
        announcer.announce(Opened(n=event.n))

    @on(Opened)
    def open_(event: Opened, db: Session) -> None:
        note(db, "open_", event.n)

    return Application(on, known)


def announce(settings: ListenSettings, *events: Signal) -> None:
    with Announcer.from_settings(settings, catalogue=known) as announcer:
        for event in events:
            announcer.announce(event)


def handled(settings: ListenSettings) -> dict[str, list[int]]:
    """The effects, by handler, in order."""
    engine = make_engine(settings.database)
    found: dict[str, list[int]] = {}
    with engine.connect() as db:
        for row in db.execute(effects.select().order_by(effects.c.seq)):
            found.setdefault(row.handler, []).append(row.n)
    engine.dispose()
    return found


def test_workers_read_it_and_handle_each_event_once(settings: ListenSettings) -> None:
    """What a handler announces goes by the outbox into the same log, and is read there by another group."""
    application = shop()
    events = placed(range(5))
    announce(settings, *events)
    topic = SERVICES["here"].broker.read("t", 0, 0, 100), SERVICES["here"].broker.read("t", 1, 0, 100)
    for record in [one for records in topic for one in records]:
        SERVICES["here"].broker.append("t", record.key(), record.value())  # a second copy of each
    for group, handler in (("shop.placed", "place"), ("shop.opened", "open_")):
        until = time.monotonic() + 60.0
        stopped = partial(_is_done, settings, handler, 5, until)
        crew = Crew(settings, Connections(), [application.groups[group]], 1, None)
        (worker,) = crew.specs(logging_instrument())
        worker.work(Place(stopped, OWN))
    found = handled(settings)
    assert {handler: sorted(numbers) for handler, numbers in found.items()} == {
        "place": [0, 1, 2, 3, 4],
        "open_": [0, 1, 2, 3, 4],
    }


def _is_done(settings: ListenSettings, handler: str, count: int, until: float) -> bool:
    done = len(handled(settings).get(handler, ())) >= count
    waits = Database(make_engine(settings.database))
    with waits.reading() as db:
        is_empty = not outbox.look(db).waits
    waits.engine.dispose()
    return (done and is_empty) or time.monotonic() > until


def test_a_bounded_pass_reads_it(settings: ListenSettings) -> None:
    announce(settings, *placed(range(5)))
    assert bounded(settings, shop(), 3) == 3
    assert len(handled(settings)["place"]) == 3
    assert bounded(settings, shop(), 10) == 2
    assert sorted(handled(settings)["place"]) == [0, 1, 2, 3, 4]


def bounded(settings: ListenSettings, application: Application, limit: int) -> int:
    """How many events one pass over a group has handled."""
    return one_pass([application.groups["shop.placed"]], settings, limit).handled


def test_a_sweep_reads_it_unless_somebody_does(settings: ListenSettings) -> None:
    application = shop()
    announce(settings, *placed(range(3)))
    engine = make_engine(settings.database)
    sweeper = Sweeper(application, settings, engine, relay_for(settings, engine))
    members = [log_backend(settings).join(name, ["t"], Database(engine)) for name in application.groups]
    sweeper.sweep(lambda: False)
    assert handled(settings) == {}
    for member in members:
        member.close()
    sweeper.sweep(lambda: False)
    assert sorted(handled(settings)["place"]) == [0, 1, 2]
    engine.dispose()


def test_reports_ask_it_too(settings: ListenSettings) -> None:
    application = shop()
    announce(settings, *placed(range(5)))
    bounded(settings, application, 3)
    engine = make_engine(settings.database)
    groups = [application.groups["shop.placed"]]
    topics = {group.name: topics_of(group, settings) for group in groups}
    with engine.connect() as db:
        (state,) = group_states(db, groups, topics, offsets_in(log_backend(settings), engine), time.time())
    assert state.lag == SERVICES["here"].end() - 3
    assert log_backend(settings).where == "another log at here"
    engine.dispose()


def test_it_is_named_where_a_transport_leaves_no_log(settings: ListenSettings) -> None:
    with pytest.raises(SettingsError) as caught:
        log_backend(ListenSettings(transport="inline"))
    one_line(caught.value, "inline", "another or kafka or spool")
