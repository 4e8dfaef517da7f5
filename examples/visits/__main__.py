"""The command line: `python -m visits --help`."""

from __future__ import annotations

import json
import signal
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer
from rich.console import Console
from sqlalchemy import Engine

from oyez.producers import Settings
from visits import commands, database, reports, screen
from visits.checks import Findings
from visits.demo import demonstrate, demonstrate_on_kafka
from visits.driver import Plan
from visits.errors import FAILED, FOUND, VisitsError, reported
from visits.work import Run, Work

app = typer.Typer(
    help="Web visits recorded by several servers.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)
Folder = Annotated[Path, typer.Option("--work", help="The folder of the import.")]
Database = Annotated[
    str | None, typer.Option("--database", help="A SQLAlchemy URL, instead of the import's.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
HERE = Path("visits-run")
SHOWN = 20  # findings


@app.command("import")
def import_log(
    log: Annotated[
        Path, typer.Argument(metavar="LOG", help="An access log in combined format, plain or .gz.")
    ],
    *,
    servers: Annotated[int, typer.Option(min=1, help="Line i goes to server i mod SERVERS.")] = 3,
    kafka: Annotated[
        str | None,
        typer.Option(help="HOST:PORT; else OYEZ_KAFKA or oyez.toml; else the spool, in the folder."),
    ] = None,
    database_url: Annotated[
        str | None,
        typer.Option("--database", help="A SQLAlchemy URL; else SQLite in the folder."),
    ] = None,
    topic: Annotated[str | None, typer.Option(help="A topic of its own unless given.")] = None,
    workers: Annotated[int, typer.Option(min=1, help="Worker processes for each group and listener.")] = 1,
    listeners: Annotated[
        int, typer.Option(min=0, help="`oyez listen` processes; 0: you run them, or sweep.")
    ] = 1,
    rate: Annotated[float, typer.Option(min=0, help="Lines a second; 0: as fast as it goes.")] = 0,
    delay: Annotated[
        list[str], typer.Option(metavar="SERVER:SECONDS", help="Hold a server (from 0) back by so much.")
    ] = [],  # noqa: B006 # typer's way
    work: Folder = HERE,
    replace: Annotated[
        bool, typer.Option("--replace", help="Throw away the import that the database holds.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Deal a log to servers that announce it, and wait until everything is handled."""
    with reported():
        plan = Plan(workers, listeners, pause=1 / rate if rate else 0.0, delays=_delays(delay, servers))
        settings = Settings()
        url = database_url or database.file_in(work)
        run = Run(
            log=str(log.absolute()),
            servers=servers,
            kafka=kafka or (settings.kafka if settings.transport == "kafka" else ""),
            topic=topic or f"visits-{uuid4().hex[:12]}",
            database=url,
        )
        engine = database.opened(url)
        if replace:
            Work(work).create()
            database.forget(engine)
        with screen.on_terminal(Console(stderr=True)) as watch:
            outcome = commands.import_log(run, plan, Work(work), engine, watch)
        _print(commands.summary(outcome), as_json)
        if outcome.progress.dead:
            sys.exit(FAILED)


@app.command()
def check(work: Folder = HERE, url: Database = None) -> None:
    """Look for events that were lost, doubled or overtaken. Status 3 if there is one."""
    with reported():
        run = Work(work).load()
        findings = commands.check(run, Work(work), database.existing(url or run.database))
        _judge(findings)


@app.command()
def report(work: Folder = HERE, url: Database = None, as_json: Json = False) -> None:
    """Print the figures of the site."""
    with reported(), database.connected(_imported(work, url)) as db:
        _print(asdict(reports.report(db)), as_json)


@app.command()
def export(work: Folder = HERE, url: Database = None) -> None:
    """Print the visits as CSV, times in unix seconds, sorted by session."""
    with reported(), database.connected(_imported(work, url)) as db:
        reports.export(db, sys.stdout)


@app.command()
def demo(
    views: Annotated[int, typer.Option(min=1, help="Page views to generate.")] = 3000,
    seed: Annotated[int, typer.Option(help="Of the traffic.")] = 1,
    kafka: Annotated[bool, typer.Option("--kafka", help="On a real Kafka; needs oyez[dev].")] = False,
) -> None:
    """Show it all: three servers of which one is late, a worker for each group, and the check. Some seconds."""
    show = demonstrate_on_kafka if kafka else demonstrate
    with reported():
        findings = show(Console(), views=views, seed=seed)
        _judge(findings)


@app.command("site")
def serve_site(
    *,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0: one that is free.")] = 8000,
    collector: Annotated[
        str | None,
        typer.Option(metavar="URL", help="One that runs already; workers too then. [none: within]"),
    ] = None,
    kafka: Annotated[
        str | None,
        typer.Option(help="HOST:PORT; else OYEZ_KAFKA or oyez.toml; else the spool, in the folder."),
    ] = None,
    url: Annotated[
        str | None, typer.Option("--database", help="A SQLAlchemy URL; else SQLite in the folder.")
    ] = None,
    work: Annotated[Path, typer.Option("--work", help="The folder of the site.")] = Path("visits-site"),
) -> None:
    """Serve a small site whose pages announce what visitors do, and a report of it. Needs oyez[web]."""
    with reported():
        try:
            from visits.site import serving  # noqa: PLC0415 # an extra
        except ModuleNotFoundError as error:
            if error.name not in ("starlette", "uvicorn", "jinja2", "h11"):
                raise
            raise VisitsError("site needs more; run: pip install 'oyez[web]'") from None
        if collector:
            Work(work).create()
            serving.serve_pages(url or database.file_in(work), port, collector, _say)
            return
        settings = Settings()
        broker = kafka or (settings.kafka if settings.transport == "kafka" else "")
        serving.serve_all(serving.Place(Work(work), broker, url or database.file_in(work)), port, _say)


def _say(line: str) -> None:
    print(line, flush=True)


def _judge(findings: Findings) -> None:
    details = findings.details()
    for line in details[:SHOWN]:
        print(line, file=sys.stderr)
    if len(details) > SHOWN:
        print(f"and {len(details) - SHOWN} more", file=sys.stderr)
    print(findings)
    if not findings.clean:
        sys.exit(FOUND)


def _imported(work: Path, url: str | None) -> Engine:
    return database.existing(url or Work(work).load().database)


def _delays(given: list[str], servers: int) -> dict[int, float]:
    delays = {}
    for text in given:
        server, _, seconds = text.partition(":")
        try:
            delays[int(server)] = float(seconds)
        except ValueError:
            raise typer.BadParameter(f"--delay {text}: give SERVER:SECONDS, such as 1:2.5") from None
        if int(server) not in range(servers):
            raise typer.BadParameter(f"--delay {text}: the servers are 0 to {servers - 1}")
    return delays


def _print(figures: dict[str, float], as_json: bool) -> None:
    if as_json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name} {value}")


if __name__ == "__main__":
    # A SIGTERM ends what was started, like everything else that ends this process.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    app()
