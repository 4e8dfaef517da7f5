"""`make soak`: every scenario in its full size, on services of its own. python -m soak [NAME...] [--seed N]"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from integration.rows.running_app import RunningApp
from oyez.consumers.dev import Kafka, Postgres
from soak.chaos.scenario import Size
from soak.chaos.setting import chaos
from soak.collecting.scenario import APP, collecting
from soak.figures import Figures
from soak.killing import import_under_kills
from soak.lanes import IMPATIENT, in_lanes
from soak.lanes_in_memory import in_lanes_in_memory
from soak.mailing import mail_queue
from soak.memory import memory
from soak.outages import outages
from soak.outbox import applications_and_drainers_killed
from soak.poison import poison_events
from soak.restarting import import_under_restarts
from soak.servers import servers
from soak.slow import OPTIONS, slow_handlers
from soak.spool_memory import spool_memory
from soak.spooling import announcers_killed
from soak.visits_outages import import_with_outages
from soak.waiting import a_chain, many_for_one
from support.services import UNSAFE, fresh_database

HOUR = 3_600.0
FORGOTTEN = {"session.timeout.ms": 6_000}
"""After how long a broker forgets members that have died: it allows no less unless told to."""
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Place:
    """Where a scenario runs."""

    broker: Kafka
    server: Postgres
    url: str
    folder: Path
    seed: int

    def running_app(self, **said: Any) -> RunningApp:
        return RunningApp(self.url, self.broker.bootstrap, self.folder, **said)


def tell(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


def killing(place: Place) -> Figures:
    size = {"views": 100_000, "kills": 300, "seconds": 540.0, "seed": place.seed}
    return import_under_kills(place.url, place.broker.bootstrap, place.folder, **size, tell=tell)


def restarting(place: Place) -> Figures:
    size = {"views": 30_000, "restarts": 5, "seconds": 120.0, "seed": place.seed}
    return import_under_restarts(place.broker, place.server, place.url, place.folder, **size, tell=tell)


def poison(place: Place) -> Figures:
    with place.running_app(partitions=8) as scripted_app:
        return poison_events(
            scripted_app, events=50_000, poison=5, workers=8, seed=place.seed, timeout=HOUR / 2
        )


def slow(place: Place) -> Figures:
    with place.running_app(partitions=8, kafka_options=json.dumps(OPTIONS)) as scripted_app:
        return slow_handlers(scripted_app, events=500, workers=8, seconds=2.0, timeout=HOUR / 4)


def lanes(place: Place) -> Figures:
    troubles = {"kill": 60, "freeze": 6, "restart": 4}
    with RunningApp(place.url, "", place.folder, **IMPATIENT) as app:
        return in_lanes(
            app,
            place.server,
            events=10_000,
            keys=100,
            troubles=troubles,
            seconds=240.0,
            seed=place.seed,
            timeout=HOUR / 4,
            tell=tell,
        )


def lanes_in_memory(place: Place) -> Figures:
    """On Kafka, whose members are forgotten after 6 s."""
    with place.running_app(partitions=8, kafka_options=json.dumps(FORGOTTEN)) as app:
        size = {"events": 20_000, "keys": 100, "kills": 40, "seconds": 180.0, "seed": place.seed}
        return in_lanes_in_memory(app, **size, timeout=HOUR / 4, tell=tell)


def waiting(place: Place) -> Figures:
    with place.running_app() as scripted_app:
        return many_for_one(scripted_app, 10_000, timeout=HOUR / 10)


def chain(place: Place) -> Figures:
    with place.running_app() as scripted_app:
        return a_chain(scripted_app, 1_000, timeout=HOUR / 10)


def broken(_place: Place) -> Figures:
    """A handler breaks in three ways for 300 events; the same test in both sizes."""
    test = "tests/consumers/admin/test_broken_handler.py"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", test], cwd=ROOT, capture_output=True, text=True, check=False
    )
    said = done.stdout.strip().splitlines()[-1]
    return Figures(
        "a broken handler", {"events": 300, "ways": 3, "said": said}, () if not done.returncode else (said,)
    )


def flat(place: Place) -> Figures:
    with place.running_app() as scripted_app:
        return memory(scripted_app, events=2_000_000, parked=100_000, timeout=HOUR / 2, tell=tell)


def spool(place: Place) -> Figures:
    """Files and SQLite: no service."""
    with RunningApp(f"sqlite:///{place.folder}/oyez.db", "", place.folder) as scripted_app:
        return announcers_killed(scripted_app, rounds=100, seed=place.seed, tell=tell)


def spool_flat(place: Place) -> Figures:
    with RunningApp(f"sqlite:///{place.folder}/oyez.db", "", place.folder) as scripted_app:
        return spool_memory(scripted_app, events=5_000_000, timeout=HOUR / 2, tell=tell)


def outbox(place: Place) -> Figures:
    """On Kafka and PostgreSQL."""
    with place.running_app() as scripted_app:
        return applications_and_drainers_killed(scripted_app, rounds=60, seed=place.seed, tell=tell)


def outbox_files(place: Place) -> Figures:
    """On files and SQLite."""
    with RunningApp(f"sqlite:///{place.folder}/oyez.db", "", place.folder) as scripted_app:
        return applications_and_drainers_killed(scripted_app, rounds=60, seed=place.seed, tell=tell)


def web_servers(place: Place) -> Figures:
    """Files and SQLite: no service."""
    with RunningApp(f"sqlite:///{place.folder}/oyez.db", "", place.folder) as scripted_app:
        return servers(scripted_app, requests=10_000, troubles=30, seed=place.seed, tell=tell)


def broker_away(place: Place) -> Figures:
    """Three servers with spools; every outage is a kill or a freeze."""
    python_path = os.pathsep.join([str(ROOT / "tests"), os.environ.get("PYTHONPATH", "")])
    size = {"grown": (50_000, 500_000), "rounds": 25, "seed": place.seed, "timeout": 2.0}
    return outages(place.broker, place.folder, {**os.environ, "PYTHONPATH": python_path}, **size, tell=tell)


def visits_away(place: Place) -> Figures:
    size = {"views": 60_000, "outages": 16, "seconds": 400.0, "seed": place.seed}
    return import_with_outages(place.broker, place.url, place.folder, **size, tell=tell)


def all_at_once(place: Place) -> Figures:
    """The troubles of the other scenarios and more, at once; PostgreSQL is its own."""
    size = Size(events=200_000, seconds=480.0, rounds=5, deaths=3)
    return chaos(place.broker, place.folder, size, place.seed, tell)


def collector(place: Place) -> Figures:
    """On Kafka and PostgreSQL, with a disk of its own."""
    options = json.dumps(FORGOTTEN)
    with RunningApp(place.url, place.broker.bootstrap, place.folder, app=APP, kafka_options=options) as app:
        size = {"events": 100_000, "troubles": 30, "hold": 4.0, "pause": 0.8, "seed": place.seed}
        return collecting(app, place.broker, **size, tell=tell)


def mail(place: Place) -> Figures:
    return mail_queue(place.url, place.folder, seed=place.seed)


SCENARIOS: Mapping[str, Callable[[Place], Figures]] = {
    "broken": broken,
    "chain": chain,
    "chaos": all_at_once,
    "collector": collector,
    "waiting": waiting,
    "slow": slow,
    "restarting": restarting,
    "poison": poison,
    "killing": killing,
    "lanes": lanes,
    "lanes-in-memory": lanes_in_memory,
    "mail": mail,
    "memory": flat,
    "outages": broker_away,
    "outages-visits": visits_away,
    "outbox": outbox,
    "outbox-files": outbox_files,
    "servers": web_servers,
    "spool": spool,
    "spool-memory": spool_flat,
}


def run(name: str, seed: int) -> bool:
    """Run one scenario and print its line; whether it holds."""
    with (
        tempfile.TemporaryDirectory(prefix="soak-") as folder,
        Kafka() as broker,
        Postgres(settings=UNSAFE) as server,
        fresh_database(server.url()) as url,
    ):
        tell(f"{name}: begins, seed {seed}")
        try:
            figures = SCENARIOS[name](Place(broker, server, url, Path(folder), seed))
        except Exception as error:  # noqa: BLE001 # the other scenarios are to run all the same
            figures = Figures(name, {"seed": seed}, (f"{type(error).__name__}: {error}",))
        tell(f"SOAK {figures}")
    return figures.holds


def main() -> int:
    """0 if all hold."""
    asked = argparse.ArgumentParser(prog="python -m soak")
    asked.add_argument("names", nargs="*", metavar="NAME", help=", ".join(SCENARIOS))
    asked.add_argument("--seed", type=int, default=1)
    given = asked.parse_args()
    unknown = set(given.names) - SCENARIOS.keys()
    if unknown:
        asked.error(f"no scenario {', '.join(sorted(unknown))}; there are {', '.join(SCENARIOS)}")
    held = [run(name, given.seed) for name in given.names or SCENARIOS]
    tell(f"{sum(held)} of {len(held)} scenarios hold")
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
