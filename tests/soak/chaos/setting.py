"""What the chaos stands on: a disk that fills, PostgreSQL on it, a pooler before that, servers with wrong clocks."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from oyez.consumers.dev import Kafka, Postgres
from soak.chaos.scenario import Size, migrate, run
from soak.chaos.servers import Servers
from soak.chaos.troubles import Services, Troubles
from soak.figures import Figures
from support.clocks import DAY, WrongClock
from support.pgbouncer import PgBouncer, pgbouncer
from support.services import UNSAFE, make_topic, unique
from support.small_disk import small_disk

CLOCKS = (DAY, -DAY, 0.0)  # s by which the listening servers' clocks are off at first
WORKERS = 2  # of each
MEGABYTES = 1_500
DISK = {**UNSAFE, "max_wal_size": "256MB", "min_wal_size": "32MB", "wal_recycle": "off"}
KAFKA = {"session.timeout.ms": 6_000, "heartbeat.interval.ms": 1_000}


def chaos(broker: Kafka, folder: Path, size: Size, seed: int, tell: Callable[[str], None]) -> Figures:
    """The whole scenario. PostgreSQL is its own; the broker is killed too. Needs root, for the disk."""
    with (
        small_disk(MEGABYTES) as disk,
        Postgres(disk.folder / "postgres", settings=DISK) as server,
        pgbouncer(server.url(), default_pool_size="10", server_idle_timeout="30") as pooler,
    ):
        migrate(server.url())
        settings = _settings(broker, pooler, server)
        clocks = [WrongClock(folder / f"clock-{n}", off) for n, off in enumerate(CLOCKS)]
        servers = Servers(folder, settings, clocks, WORKERS)
        try:
            made = Services(broker, server, pooler, disk, clocks)
            troubles = Troubles(servers, made, seed=seed, hold=size.hold)
            announcing = [_announcing(settings, folder, n) for n in range(size.announcers)]
            return run(size, folder, server.url(), announcing, servers, troubles, seed=seed, tell=tell)
        finally:
            servers.end()


def _settings(broker: Kafka, pooler: PgBouncer, server: Postgres) -> dict[str, str]:
    return {
        "CHAOS_APP": unique("chaos"),
        "OYEZ_APP": "soak.chaos.app:on",
        "OYEZ_KAFKA": broker.bootstrap,
        "OYEZ_KAFKA_OPTIONS": json.dumps(KAFKA),
        "OYEZ_TOPIC": make_topic(broker.bootstrap, unique("chaos"), 6),
        "OYEZ_DATABASE": pooler.url,
        "OYEZ_DATABASE_DIRECT": server.url(),
        "OYEZ_MAX_CLOCK_SKEW": str(10 * DAY),
    }


def _announcing(settings: dict[str, str], folder: Path, number: int) -> dict[str, str]:
    """The first has nothing but its memory while the broker is away; the others have a spool before it."""
    own = {"OYEZ_SOURCE": f"web-{number}", "OYEZ_DELIVERY_TIMEOUT": "600", "OYEZ_FLUSH_TIMEOUT": "120"}
    spool = {"OYEZ_SPOOL": str(folder / f"spool-{number}")} if number else {}
    return {**settings, **own, **spool}
