"""The scripted application at work: real workers of `oyez listen`, the other commands, and what came of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Self

from confluent_kafka import Producer
from sqlalchemy import Engine, create_engine, func, select

from integration.rows import scripted_app
from oyez.consumers.database.migrating import upgrade
from oyez.producers import Announcer
from oyez.producers.settings import Settings
from oyez.schemas import Signal, catalogue
from oyez.schemas.encoding import Encoder
from support.processes import ROOT, Program
from support.services import make_topic, unique
from support.tables import knowing_the_tables, table_named
from support.waiting import eventually


class RunningApp:
    """The scripted application on a database and a topic of its own; without a Kafka that is in the spool."""

    def __init__(
        self, database: str, kafka: str, folder: Path, *, partitions: int = 4, **settings: object
    ) -> None:
        self.app = unique("rows")
        self.kafka = kafka
        self.topic = make_topic(kafka, unique("test"), partitions) if kafka else unique("test")
        self.folder = folder
        self.env = {
            "ROWS_APP": self.app,
            "ROWS_FOLDER": str(folder),
            "OYEZ_APP": "integration.rows.scripted_app:on",
            "OYEZ_TOPIC": self.topic,
            "OYEZ_DATABASE": database,
            **(
                {"OYEZ_KAFKA": kafka}
                if kafka
                else {"OYEZ_TRANSPORT": "spool", "OYEZ_SPOOL": str(folder / "spool")}
            ),
            **_named(settings),
        }
        self.engine: Engine = knowing_the_tables(create_engine(database))
        self._programs: list[Program] = []
        self._announcers: dict[str, Announcer] = {}
        upgrade(self.engine)
        scripted_app.tables.create_all(self.engine)

    def listen(
        self, *signals: str, workers: int = 1, env: dict[str, str] | None = None, **settings: object
    ) -> Program:
        """Start `oyez listen`."""
        log = self.folder / f"listen-{len(self._programs)}.log"
        given = ("listen", *signals, "--workers", str(workers))
        program = Program(
            log, "oyez.consumers.cli", *given, env={**self.env, **_named(settings), **(env or {})}
        )
        self._programs.append(program)
        return program

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one of the other commands to its end."""
        paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
        return subprocess.run(
            [sys.executable, "-m", "oyez.consumers.cli", *arguments],
            cwd=self.folder,
            env={**os.environ, **self.env, "PYTHONPATH": paths},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def json(self, *arguments: str) -> Any:
        """What a command prints as JSON; it has to succeed."""
        done = self.command(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def status(self, signal: str) -> Any:
        """What `oyez status` says of a signal's group."""
        (found,) = [one for one in self.json("status") if one["group"] == self.group(signal)]
        return found

    def group(self, signal: str) -> str:
        return f"{self.app}.{signal}"

    def announce(self, *events: Signal, source: str = "web-0") -> list[str]:
        """Announce from this process, and wait until all have arrived; their ids."""
        if source not in self._announcers:
            settings = Settings(**self._transport(), topic=self.topic, flush_timeout=60.0)
            self._announcers[source] = Announcer.from_settings(settings, source=source)
        announcer = self._announcers[source]
        ids = [announcer.announce(event) for event in events]
        announcer.flush()
        return ids

    def _transport(self) -> dict[str, Any]:
        if self.kafka:
            return {"kafka": self.kafka}
        return {"transport": "spool", "spool": self.folder / "spool"}

    def put(self, event: scripted_app.Placed, event_id: str) -> None:
        """An event as a producer would send it that has made its id itself."""
        encode = Encoder("elsewhere", catalogue).encode
        value = encode(event, id=event_id, time="2026-01-01T00:00:00Z", key=event.k, subject=None)
        producer = Producer({"bootstrap.servers": self.kafka})
        producer.produce(self.topic, value, event.k.encode())
        assert producer.flush(20) == 0

    def effects(self, handler: str = "place") -> list[int]:
        """The numbers that a handler noted, in its order."""
        query = (
            select(scripted_app.effects.c.n)
            .where(scripted_app.effects.c.handler == handler)
            .order_by(scripted_app.effects.c.seq)
        )
        with self.engine.connect() as db:
            return list(db.execute(query).scalars())

    def count(self, handler: str = "place") -> int:
        """How many there are."""
        query = select(func.count()).where(scripted_app.effects.c.handler == handler)
        with self.engine.connect() as db:
            return int(db.execute(query).scalar_one())

    def size(self, name: str, signal: str | None = None) -> int:
        """How many rows one of Oyez's tables has, of a signal's group or of all."""
        table = table_named(name)
        query = select(func.count()).select_from(table)
        if signal is not None:
            query = query.where(table.c.group_name == self.group(signal))
        with self.engine.connect() as db:
            return int(db.execute(query).scalar_one())

    def left(self) -> int:
        """How many deliveries are parked or dead."""
        return self.size("parked") + self.size("dead")

    def rows(self, name: str, *columns: str) -> list[Any]:
        """Rows of one of Oyez's tables; of a single column, its values."""
        table = table_named(name)
        query = select(*(table.c[column] for column in columns)).order_by(*table.primary_key)
        with self.engine.connect() as db:
            found = db.execute(query).all()
        return [row[0] for row in found] if len(columns) == 1 else list(found)

    def until(self, condition: Callable[[], object], timeout: float = 60.0, every: float = 0.1) -> None:
        """Wait for a condition; what the workers said is said if it never comes."""
        try:
            eventually(condition, timeout, every)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.said()}") from None

    def until_handled(self, numbers: Iterable[int], *handlers: str, timeout: float = 60.0) -> None:
        """Wait until these handlers have noted each of the numbers, and see that none is there twice."""
        wanted = Counter(numbers)
        for handler in handlers or ("place",):
            self.until(lambda handler=handler: self.count(handler) >= wanted.total(), timeout)
            found = Counter(self.effects(handler))
            assert found == wanted, (
                f"{handler}: lost {wanted - found}, doubled {found - wanted}\n{self.said()}"
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def said(self) -> str:
        """What the workers logged."""
        return "\n".join(program.output()[-4000:] for program in self._programs)

    def close(self) -> None:
        for program in self._programs:
            program.end()
        for announcer in self._announcers.values():
            announcer.close()
        self.engine.dispose()


def _named(settings: dict[str, object]) -> dict[str, str]:
    return {f"OYEZ_{name.upper()}": str(value) for name, value in settings.items()}
