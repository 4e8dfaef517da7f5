"""`oyez spool status`, `oyez spool verify` and `oyez spool drain`."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from oyez.producers.kafka.durability import shipper_from
from oyez.producers.spool import Folder, found_in
from oyez.producers.spool_shipping import Drainer, Pass

from ...logs.spool.folders import require_folders, spools_read
from ...reports import SpoolState, Verified, state_of, verify
from ...settings import ListenSettings
from ..common import logging as logs
from ..common import output, probes
from ..common.exits import FAILED, CheckFailed
from ..common.options import Json, Kafka, LogFormat, Quiet, Topic, Verbose, settings_from
from ..common.stopping import Stop, end_on_sigterm, exit_code

log = logging.getLogger("oyez.spool")

Paths = Annotated[
    list[Path] | None,
    typer.Argument(metavar="[PATH]...", help="The folders below which to look; else the spool that is set."),
]

STATES = (
    output.Column("folder", lambda row: row.path),
    output.Column("topic", lambda row: row.topic),
    output.Column("log", lambda row: row.log_id, wide=True),
    output.Column("segments", lambda row: row.segments),
    output.Column("bytes", lambda row: row.bytes),
    output.Column("first", lambda row: row.first, wide=True),
    output.Column("last", lambda row: row.last),
    output.Column("shipped", lambda row: row.shipped),
    output.Column("backlog", lambda row: row.backlog),
    output.Column("backlog bytes", lambda row: row.backlog_bytes, wide=True),
    output.Column("oldest", lambda row: row.oldest),
    output.Column("refused", lambda row: row.refused),
    output.Column("error", lambda row: row.error, brief=True),
    output.Column("since", lambda row: row.error_since),
)
VERIFIED = (
    output.Column("folder", lambda row: row.path),
    output.Column("topic", lambda row: row.topic),
    output.Column("segments", lambda row: row.segments),
    output.Column("events", lambda row: row.events),
    output.Column("bytes", lambda row: row.bytes),
    output.Column("torn", lambda row: row.torn),
    output.Column("problems", lambda row: len(row.problems)),
)


def roots_of(settings: ListenSettings, paths: Sequence[Path] | None) -> list[Path]:
    """Where to look for logs. Raises `FolderMissing`."""
    roots = list(paths or spools_read(settings))
    require_folders(roots)
    return roots


def folders_of(settings: ListenSettings, paths: Sequence[Path] | None) -> list[Folder]:
    """The logs. Raises `FolderMissing`."""
    return found_in(roots_of(settings, paths), settings.topic)


def status(context: typer.Context, paths: Paths = None, as_json: Json = False) -> None:
    """Show how much there is in each log of the spool, and what was not shipped to Kafka yet."""
    settings = settings_from(context)
    found: list[SpoolState] = []
    unreadable: list[str] = []
    for folder in folders_of(settings, paths):
        try:
            found.append(state_of(folder, time.time()))
        except OSError as error:
            unreadable.append(f"{error.filename or folder.path} cannot be read: {error.strerror}")
    if as_json:
        output.json_array(asdict(state) for state in found)
    else:
        output.table(found, STATES, empty="nothing was spooled here")
    for one in unreadable:
        output.note(one)
    if unreadable:
        raise typer.Exit(FAILED)


def verify_all(context: typer.Context, paths: Paths = None, as_json: Json = False) -> None:
    """Look at every line of every segment. Exit code 3 if something is damaged."""
    settings = settings_from(context)
    found: list[Verified] = [verify(folder) for folder in folders_of(settings, paths)]
    if as_json:
        output.json_array(asdict(one) for one in found)
    else:
        output.table(found, VERIFIED, empty="nothing was spooled here")
        for one in found:
            for problem in one.problems:
                output.line(f"{one.path}: {problem}")
    count = sum(len(one.problems) for one in found)
    if count:
        raise CheckFailed(f"{count} problem{'s' if count > 1 else ''} in the spool")


def drain(
    context: typer.Context,
    paths: Paths = None,
    every: Annotated[
        float | None,
        typer.Option("--every", metavar="SECONDS", min=0.1, help="Go on until SIGTERM, this often."),
    ] = None,
    kafka: Kafka = None,
    topic: Topic = None,
    log_format: LogFormat = None,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Ship what is in the spool to Kafka, in order, and mark what has arrived."""
    end_on_sigterm()
    settings = settings_from(context, kafka=kafka, topic=topic, log_format=log_format)
    logs.configure_again(settings.log_format, verbose=verbose, quiet=quiet)
    drainer = Drainer(
        roots_of(settings, paths),
        settings.topic,
        lambda: shipper_from(settings),
        retention=settings.spool_retention,
    )
    if every is None:
        probes.kafka(settings)
    stop = Stop()
    try:
        code = _once(drainer, stop) if every is None else _repeatedly(drainer, every, stop)
    finally:
        drainer.close(settings.flush_timeout)
    raise typer.Exit(code)


def _once(drainer: Drainer, stop: Stop) -> int:
    done = drainer.run(stop)
    output.note(_said(done))
    for path, why in done.stuck.items():
        output.note(f"{path} waits: {why}")
    return FAILED if done.stuck else exit_code(stop.number)


def _repeatedly(drainer: Drainer, every: float, stop: Stop) -> int:
    log.info("shipping the spool every %g s", every)
    while not stop():
        done = drainer.run(stop)
        if done.shipped:
            log.info("%s", _said(done))
        stop.wait(every)
    return exit_code(stop.number)


def _said(done: Pass) -> str:
    return f"{done.shipped} event{'' if done.shipped == 1 else 's'} shipped"
