"""The demonstration: three servers, one of them late, so that views come before their sessions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

from rich.console import Console

from oyez.consumers.dev import Kafka
from visits import commands, database, generate, screen
from visits.checks import Findings
from visits.driver import Plan
from visits.errors import VisitsError
from visits.work import Run, Work

SERVERS = 3
LATE, SECONDS = 1, 1.5  # the server that is late, and by how much
LASTS = 12.0  # seconds of traffic


def demonstrate(console: Console, *, views: int, seed: int) -> Findings:
    """Set up everything, import generated traffic, check it, and take everything down again."""
    with _folder() as folder:
        log = folder / "access.log"
        generate.write_log(log, views=views, seed=seed)
        _say(console, f"{views} page views by {SERVERS} servers; web-{LATE} announces {SECONDS:g} s late")
        _say(console, "starting Kafka …")
        with Kafka() as broker:
            run = Run(str(log), SERVERS, broker.bootstrap, "visits", f"sqlite:///{folder}/visits.db")
            return _import(console, run, Work(folder / "run"))


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder for the while; what failed stays to be looked at."""
    folder = Path(mkdtemp(prefix="visits-demo-"))
    try:
        yield folder
    except VisitsError:
        raise
    except BaseException:
        rmtree(folder)
        raise
    rmtree(folder)


def _import(console: Console, run: Run, work: Work) -> Findings:
    with Path(run.log).open() as lines:
        pause = LASTS / max(1, sum(1 for _ in lines))
    engine = database.opened(run.database)
    plan = Plan(pause=pause, delays={LATE: SECONDS})
    _say(console, f"Kafka is at {run.kafka}; starting servers and workers …")
    with screen.shown(console) as watch:
        outcome = commands.import_log(run, plan, work, engine, watch)
    for name, value in commands.summary(outcome).items():
        _say(console, f"{name} {value}")
    try:
        return commands.check(run, work, engine)
    finally:
        engine.dispose()


def _say(console: Console, line: str) -> None:
    console.print(line, highlight=False, soft_wrap=True)
