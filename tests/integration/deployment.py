"""A place where the shop runs: a topic, a database, announcing servers and listening ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from confluent_kafka import Producer
from sqlalchemy import Engine, create_engine, func, make_url, select

from integration.findings import Announced, Findings, count_rows, expected_effects, find, read_record
from integration.shop import Known, Ticked, known, sessions, tables, ticks, views
from oyez.consumers import ListenSettings
from oyez.consumers.database.migrating import upgrade
from oyez.producers import Announcer
from oyez.schemas.encoding import Encoder
from support.processes import Program
from support.services import unique
from support.tables import knowing_the_tables
from support.waiting import eventually

_PATIENT = {"sqlite": {"timeout": 30}, "postgresql": {}}


class Deployment:
    """One application on one database, over one topic."""

    def __init__(self, database: str, kafka: str, topic: str, folder: Path) -> None:
        self.app = unique("shop")
        self.topic = topic
        self.audit = folder / "audit"
        self.env = {
            "OYEZ_KAFKA": kafka,
            "OYEZ_DATABASE": database,
            "OYEZ_TOPIC": topic,
            "SHOP_AUDIT": str(self.audit),
        }
        engine = create_engine(database, connect_args=_PATIENT[make_url(database).get_backend_name()])
        self.engine: Engine = knowing_the_tables(engine)
        self._folder = folder
        self._records: list[Path] = []
        self._programs: list[Program] = []
        self._said: list[Announced] = []
        self._announcers: dict[str, Announcer] = {}
        upgrade(self.engine)
        tables.create_all(self.engine)

    def run(self, module: str, *arguments: str, **settings: object) -> Program:
        """Start a module of this folder."""
        log = self._folder / f"{len(self._programs)}-{module}.log"
        env = {f"OYEZ_{name.upper()}": str(value) for name, value in settings.items()}
        program = Program(log, f"integration.{module}", *arguments, env={**self.env, **env})
        self._programs.append(program)
        return program

    def announce(self, servers: int, sessions: int, views: int) -> list[Program]:
        """Start announcing servers; they end when everything has arrived."""
        started = []
        for number in range(servers):
            record = self._folder / f"record-{len(self._records)}"
            self._records.append(record)
            given = map(str, (number, servers, sessions, views, record))
            started.append(self.run("announcer", *given))
        return started

    def listen(self, workers: int, *groups: str, **settings: object) -> Program:
        """Start a listening server, for some groups or all."""
        named = [f"{self.app}.{group}" for group in groups]
        return self.run("listener", self.app, str(workers), *named, **settings)

    def settings(self, **said: Any) -> ListenSettings:
        """The settings of a worker in this process."""
        given = {name.removeprefix("OYEZ_").lower(): value for name, value in self.env.items()}
        given.pop("shop_audit")
        return ListenSettings(**(given | said))

    def say(self, *events: Known, source: str = "web-0") -> None:
        """Announce events from this process, and wait until they have arrived."""
        if source not in self._announcers:
            settings = self.settings()
            self._announcers[source] = Announcer.from_settings(settings, source=source, catalogue=known)
        announcer = self._announcers[source]
        for event in events:
            event_id = announcer.announce(event)
            session = getattr(event, "session_id", "-")
            self._said.append(Announced(type(event).__name__, session, source, event_id))
        announcer.flush()

    def tick(self, partition: int, *numbers: int) -> None:
        """Events for the ticker in one partition, whatever their key says."""
        encode = Encoder("elsewhere", known).encode
        refused: list[str] = []
        producer = Producer(
            {
                "bootstrap.servers": self.env["OYEZ_KAFKA"],
                "on_delivery": lambda error, _message: refused.append(error.str()) if error else None,
            }
        )
        for n in numbers:
            event_id = f"{partition}-{n}"
            value = encode(Ticked(n=n), id=event_id, time="2026-01-01T00:00:00Z", key="k", subject=None)
            producer.produce(self.topic, value, b"k", partition)
        assert producer.flush(20) == 0
        assert not refused, refused

    def announced(self) -> list[Announced]:
        """What the servers that have ended announced, and this process."""
        return self._said + [one for path in self._records if path.exists() for one in read_record(path)]

    def handled(self) -> int:
        """The number of effects so far."""
        with self.engine.connect() as db:
            counts = [db.execute(select(func.count()).select_from(table)) for table in (views, sessions)]
            return sum(int(count.scalar_one()) for count in counts)

    def ticks(self) -> list[int]:
        """What the handler of ticks has noted, in its order."""
        with self.engine.connect() as db:
            return list(db.execute(select(ticks.c.n).order_by(ticks.c.seq)).scalars())

    def settle(self, timeout: float = 60.0) -> Findings:
        """Wait until every effect is there and nothing is parked; then compare."""
        announced = self.announced()
        wanted = expected_effects(announced).total()

        def is_done() -> bool:
            return self.handled() >= wanted and not count_rows(self.engine, "parked")

        try:
            eventually(is_done, timeout)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{find(self.engine, announced)}\n{self.logs()}") from None
        return find(self.engine, announced)

    def logs(self) -> str:
        """What the listening servers said."""
        return "\n".join(program.output()[-4000:] for program in self._programs)

    def close(self) -> None:
        for program in self._programs:
            program.end()
        for announcer in self._announcers.values():
            announcer.close()
        self.engine.dispose()
