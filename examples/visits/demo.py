"""The demonstration: three servers, one of them late, so that views come before their sessions.

Without any service: the servers announce into files, and the database is one. With Kafka: a real one is started.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

from rich.console import Console

from visits import commands, database, generate, processes, screen
from visits.checks import Findings
from visits.driver import Plan
from visits.errors import VisitsError
from visits.work import Run, Work

SERVERS = 3
LATE, SECONDS = 1, 0.5  # the server that is late, and by how much
LASTS = 3.0  # seconds of traffic

Broker = Callable[[Console, Path], AbstractContextManager[str]]
"""Starts what the events go through, with a folder for its log; its address is empty if they go through files."""


def demonstrate(console: Console, *, views: int, seed: int) -> Findings:
    """Import generated traffic by way of files, check it, and take everything down again."""
    return _demonstrate(console, _no_broker, views=views, seed=seed)


def demonstrate_on_kafka(console: Console, *, views: int, seed: int) -> Findings:
    """The same on a Kafka that is started for it."""
    return _demonstrate(console, _kafka, views=views, seed=seed)


def _demonstrate(console: Console, broker: Broker, *, views: int, seed: int) -> Findings:
    with _folder() as folder:
        log = folder / "access.log"
        generate.write_log(log, views=views, seed=seed)
        _say(console, f"{views} page views by {SERVERS} servers; web-{LATE} announces {SECONDS:g} s late")
        with broker(console, folder) as address:
            run = Run(str(log), SERVERS, address, "visits", database.file_in(folder))
            return _import(console, run, Work(folder / "run"))


@contextmanager
def _kafka(console: Console, folder: Path) -> Iterator[str]:
    """Its address."""
    _say(console, "starting Kafka …")
    with processes.kafka(folder) as address:
        yield address


def _no_broker(_console: Console, _folder: Path) -> AbstractContextManager[str]:
    return nullcontext("")


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
    course = f"files in {work.spool}" if run.is_spooled else f"Kafka at {run.kafka}"
    _say(console, f"events go through {course}; starting servers and workers …")
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
