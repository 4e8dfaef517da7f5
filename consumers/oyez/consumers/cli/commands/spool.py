"""`oyez spool status`, `oyez spool verify` and `oyez spool ship`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from oyez.producers.kafka.durability import sender_from
from oyez.producers.loggers import logger_named
from oyez.producers.spool import Folder, found_in
from oyez.producers.spool_shipping import Pass, SpoolShipper

from ...core.stop_signals import Stop
from ...logs.spool.folders import require_folders, spools_read
from ...reports import Verified, verify
from ...reports.spool_states import states_of
from ...settings import ListenSettings
from ..common import output, probes
from ..common.bundles import taking
from ..common.daemons import daemon
from ..common.errors import CheckFailed
from ..common.exits import FAILED
from ..common.options import Every, Json, logged_settings_by, settings_by
from ..common.progress import progress
from ..common.stopping import end_on_sigterm, exit_code

log = logger_named("oyez.spool")

Paths = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="[PATH]...", help="Look below these folders; below the spool that is set unless said."
    ),
]

STATES = (
    output.Column("folder", lambda row: row.path, whole=True),
    output.Column("topic", lambda row: row.topic, whole=True),
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
    output.Column("folder", lambda row: row.path, whole=True),
    output.Column("topic", lambda row: row.topic, whole=True),
    output.Column("segments", lambda row: row.segments),
    output.Column("events", lambda row: row.events),
    output.Column("bytes", lambda row: row.bytes),
    output.Column("torn", lambda row: row.torn),
    output.Column("problems", lambda row: len(row.problems)),
)


def roots_of(settings: ListenSettings, paths: Sequence[Path] | None) -> list[Path]:
    """Where to look for logs. Raises as `require_folders`."""
    roots = list(paths or spools_read(settings))
    require_folders(roots)
    return roots


def folders_of(settings: ListenSettings, paths: Sequence[Path] | None) -> list[Folder]:
    """The logs. Raises as `roots_of`."""
    return found_in(roots_of(settings, paths), settings.topic)


@taking(settings_by())
def status(
    *,
    paths: Paths = None,
    as_json: Json = False,
    settings: ListenSettings,
) -> None:
    """Show how much there is in each log of the spool, and what was not shipped to Kafka yet."""
    found = states_of(folders_of(settings, paths), time.time())
    if as_json:
        output.json_array(asdict(state) for state in found.states)
    else:
        output.table(found.states, STATES, empty="nothing was spooled here")
    for one in found.unreadable:
        output.note(one)
    if found.unreadable:
        raise typer.Exit(FAILED)


@taking(settings_by())
def verify_all(
    *,
    paths: Paths = None,
    as_json: Json = False,
    settings: ListenSettings,
) -> None:
    """Look at every line of every segment. Exit code 3 if something is damaged."""
    folders = folders_of(settings, paths)
    with progress("verify", None, hidden=as_json) as advance:
        found: list[Verified] = [verify(folder, advance) for folder in folders]
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


@taking(logged_settings_by("kafka", "topic"))
def ship(
    *,
    paths: Paths = None,
    every: Every = None,
    settings: ListenSettings,
) -> None:
    """Ship what is in the spool to Kafka, in order, and mark what has arrived. Exit code 1 if some of it stays."""
    end_on_sigterm()
    shipper = SpoolShipper(
        roots_of(settings, paths),
        settings.topic,
        lambda: sender_from(settings),
        retention=settings.spool_retention,
    )
    if every is None:
        probes.kafka(settings)
    try:
        code = _once(shipper, Stop()) if every is None else _repeatedly(shipper, every, settings)
    finally:
        shipper.close(settings.flush_timeout)
    raise typer.Exit(code)


def _once(shipper: SpoolShipper, stop: Stop) -> int:
    with progress("ship", None):
        done = shipper.run(stop)
    output.note(_said(done))
    for path, why in done.stuck.items():
        output.note(f"{path} waits: {why}")
    return FAILED if done.stuck else exit_code(stop.number)


def _repeatedly(shipper: SpoolShipper, every: float, settings: ListenSettings) -> int:
    log.info("shipping the spool every %g s", every)
    with daemon(settings) as stop:
        while not stop():
            done = shipper.run(stop)
            if done.shipped:
                log.info("%s", _said(done))
            stop.trouble("; ".join(f"{path} waits: {why}" for path, why in done.stuck.items()))
            stop.wait(every)
    return exit_code(stop.number)


def _said(done: Pass) -> str:
    return f"{done.shipped} event{'' if done.shipped == 1 else 's'} shipped"
