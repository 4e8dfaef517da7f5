"""The demonstration: three servers, one of them late, so that views come before their sessions."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from oyez.consumers.dev import Kafka
from visits import commands, database, generate, screen
from visits.checks import Findings
from visits.driver import Plan
from visits.work import Run, Work

SERVERS = 3
LATE, SECONDS = 1, 1.5  # the server that is late, and by how much
LASTS = 12.0  # seconds of traffic


def demonstrate(console: Console, *, views: int, seed: int) -> Findings:
    """Set up everything, import generated traffic, check it, and take everything down again."""
    with TemporaryDirectory(prefix="visits-demo-") as folder:
        log = Path(folder) / "access.log"
        generate.write_log(log, views=views, seed=seed)
        _say(console, f"{views} page views by {SERVERS} servers; web-{LATE} announces {SECONDS:g} s late")
        _say(console, "starting Kafka …")
        with Kafka() as broker:
            run = Run(str(log), SERVERS, broker.bootstrap, "visits", f"sqlite:///{folder}/visits.db")
            return _import(console, run, Work(Path(folder) / "run"))


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
    findings = commands.check(run, work, engine)
    engine.dispose()
    return findings


def _say(console: Console, line: str) -> None:
    console.print(line, highlight=False, soft_wrap=True)
