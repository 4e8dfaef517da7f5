"""What is done to the services and to the listening servers, one after the other, as the dice say."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import psutil

from oyez.consumers.dev import Kafka, Postgres
from soak.chaos.servers import Servers
from support.clocks import DAY, WrongClock
from support.pgbouncer import PgBouncer
from support.processes import is_alive
from support.small_disk import SmallDisk

Trouble = Callable[[], None]


@dataclass(frozen=True)
class Services:
    """What all servers stand on, and their clocks."""

    broker: Kafka
    database: Postgres
    pooler: PgBouncer
    disk: SmallDisk
    clocks: Sequence[WrongClock]


class Troubles:
    """Each is done to its end; the next one comes at its moment."""

    def __init__(self, servers: Servers, services: Services, *, seed: int, hold: float) -> None:
        """``hold`` is for how many seconds something is frozen or full."""
        self._servers = servers
        self._services = services
        self._hold = hold
        self._dice = random.Random(seed)
        self._all: Sequence[tuple[str, Trouble]] = (
            ("worker killed", self._kill_worker),
            ("worker killed", self._kill_worker),
            ("server killed", self._kill_server),
            ("server frozen", self._freeze_server),
            ("clock turned", self._turn_clock),
            ("Kafka killed", self._kill_broker),
            ("PostgreSQL killed", self._kill_database),
            ("PgBouncer restarted", services.pooler.restart),
            ("disk full", self._fill_disk),
        )
        self.done: dict[str, int] = dict.fromkeys((name for name, _ in self._all), 0)

    def order(self, rounds: int) -> list[tuple[str, Trouble]]:
        """All of them so many times, each round in an order of its own."""
        return [one for _ in range(rounds) for one in self._dice.sample(self._all, len(self._all))]

    def make(self, name: str, trouble: Trouble) -> None:
        """Make one, and count it."""
        self._servers.tend()
        trouble()
        self.done[name] += 1

    def _kill_worker(self) -> None:
        workers = self._servers.workers()
        if workers:
            _kill(self._dice.choice(workers))

    def _kill_server(self) -> None:
        self._servers.replace(self._dice.randrange(len(self._servers.running)))

    def _freeze_server(self) -> None:
        frozen = self._dice.choice(self._servers.running)
        processes = [psutil.Process(frozen.pid), *frozen.children()] if frozen.code() is None else []
        for process in processes:
            process.suspend()
        time.sleep(self._hold)
        for process in processes:
            if is_alive(process):
                process.resume()

    def _turn_clock(self) -> None:
        self._dice.choice(self._services.clocks).turn(self._dice.uniform(-DAY, DAY))

    def _kill_broker(self) -> None:
        self._services.broker.kill()
        self._services.broker.restart()

    def _kill_database(self) -> None:
        self._services.database.kill()
        self._services.database.restart()

    def _fill_disk(self) -> None:
        """PostgreSQL may end by it, as it does where its log cannot be written."""
        self._services.disk.fill()
        try:
            time.sleep(self._hold)
        finally:
            self._services.disk.free()
        self._services.database.restart()


def _kill(process: psutil.Process) -> None:
    if is_alive(process):
        process.kill()
