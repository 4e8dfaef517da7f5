"""`oyez tail`."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from typing import Annotated

import typer

from oyez.schemas import catalogue
from oyez.schemas.nearest import nearest

from ...core.numerals import number_of
from ...core.stop_signals import Stop
from ...logs.lookup import log_backend
from ...logs.tail import Tail
from ...reports.passing import Passing, Wanted, last, passing
from ...settings import ListenSettings
from ..common import completing, output, probes, streams
from ..common.ages import moment_of
from ..common.application import handlers_of
from ..common.bundles import taking
from ..common.errors import NotFound, UsageProblem
from ..common.options import settings_by
from ..common.stopping import end_on_sigterm, exit_code

LOOK = 0.2  # s


@taking(settings_by("app", "kafka", "topic", "transport", "spools"))
def tail(
    *,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            autocompletion=completing.signals,
            metavar="[SIGNAL]...",
            help="Names or numbers; all signals if none is given.",
        ),
    ] = None,
    key: Annotated[str | None, typer.Option("--key", help="Only events of this key.")] = None,
    event_source: Annotated[str | None, typer.Option("--source", help="Only events of this source.")] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="TIME|AGE", help="Begin with what was announced then, such as 10m."),
    ] = None,
    from_beginning: Annotated[
        bool, typer.Option("--from-beginning", help="Begin with the oldest event that is there.")
    ] = False,
    count: Annotated[
        int | None,
        typer.Option("--last", "-n", metavar="N", min=1, max=100_000, help="Begin with the last N of them."),
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", metavar="N", min=1, help="End after so many events.")
    ] = None,
    no_follow: Annotated[
        bool, typer.Option("--no-follow", help="End when all has been printed that was there as it began.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print each event as a CloudEvent, one a line.")
    ] = False,
    settings: ListenSettings,
) -> None:
    """Print events as they pass, from Kafka or the spool, until SIGTERM (exit code 0) or SIGINT (130).

    No group is joined and nothing is committed: nobody else notices.
    """
    end_on_sigterm()  # at once, while it looks back: there is nothing to finish
    if sum((since is not None, from_beginning, count is not None)) > 1:
        raise UsageProblem("--since, --from-beginning and --last each say where to begin: give one of them")
    moment = _moment(since)
    topics, signals = _chosen(settings, names or [])
    wanted = Wanted(
        signals, key, event_source, None if moment is None else datetime.fromtimestamp(moment, UTC)
    )
    backend = log_backend(settings)
    backend.check()
    probes.reached_log(backend)
    with closing(backend.tail(topics)) as log:
        found = _begin(log, moment, count, wanted, from_beginning=from_beginning)
        stop = Stop()
        printer = _Printer(limit, stop, as_json=as_json)
        printer.print(found)
        while not printer.is_done and streams.is_read():
            printer.print(passing(log.poll(LOOK), wanted))
            if no_follow and log.is_at_end:
                return
    raise typer.Exit(exit_code(stop.number))


def _begin(
    log: Tail, moment: float | None, count: int | None, wanted: Wanted, *, from_beginning: bool
) -> Sequence[Passing]:
    """Follow from where it is to begin; what is to be printed before all that follows."""
    if moment is not None:
        log.follow(log.at(moment))
    elif from_beginning:
        log.follow({partition: ends.low for partition, ends in log.ends().items()})
    elif count is not None:
        found, begins = last(log, count, wanted)
        log.follow(begins)
        return found
    else:
        log.follow({partition: ends.high for partition, ends in log.ends().items()})
    return ()


class _Printer:
    """Prints events, as many as there may be, until it is told to stop."""

    def __init__(self, limit: int | None, stopped: Callable[[], bool], *, as_json: bool) -> None:
        self._left = limit
        self._stopped = stopped
        self._as_json = as_json

    @property
    def is_done(self) -> bool:
        return self._left == 0 or self._stopped()

    def print(self, found: Iterable[Passing]) -> None:
        """What is no event is told on stderr."""
        for one in found:
            if self.is_done:
                return
            if one.undecodable is not None:
                output.note(f"{one.topic}[{one.partition}] {one.position}: no event: {one.undecodable}")
                continue
            if self._left is not None:
                self._left -= 1
            if self._as_json:
                output.line(output.json_text(one.event))
            else:
                output.line(_line(one))


def _here(moment: datetime) -> datetime:
    """A moment by this machine's clock; at the edges of the calendar, as it is."""
    try:
        return moment.astimezone()
    except (OverflowError, OSError, ValueError):
        return moment


def _line(one: Passing) -> str:
    """One line; on a terminal as much of it as has room there."""
    data = json.dumps(one.data, ensure_ascii=False)
    cells = (one.at, one.signal, one.key, one.source, one.subject, one.event_id, data)
    if not output.is_terminal():
        return "\t".join(output.shown(cell, None) for cell in cells)
    at = "-" if one.at is None else _here(one.at).strftime("%H:%M:%S.%f")[:-3]
    line = "  ".join([at, *(output.shown(cell, None) for cell in (one.signal, one.key, one.source, data))])
    width = shutil.get_terminal_size().columns
    return line if len(line) <= width else f"{line[: width - 1]}…"


def _moment(since: str | None) -> float | None:
    moment = None if since is None else moment_of(since, time.time())
    if since is not None and moment is None:
        raise UsageProblem(
            f"--since {since}: write a time such as 2026-07-01T12:00:00Z, or an age such as 10m, 2h or 3d"
        )
    return moment


def _chosen(settings: ListenSettings, names: list[str]) -> tuple[set[str], set[str]]:
    """The topics and the signals. An application knows numbers, and which topics its signals have; without one names
    are taken as they are. What others announce into the same topic may be looked for too."""
    if not settings.app:
        numbers = [name for name in names if number_of(name) is not None]
        if numbers:
            raise UsageProblem(
                f"{numbers[0]}: numbers of signals are an application's; give --app, or the name"
            )
        return {settings.topic}, set(names)
    handlers_of(settings)  # fills the catalogue
    known = {one.name: one for one in catalogue}
    by_number = {one.number: one for one in catalogue if one.number is not None}
    chosen = []
    for name in names:
        number = number_of(name)
        found = known.get(name) or (None if number is None else by_number.get(number))
        if found is None:
            _tell_unknown(name, known)
        chosen.append(name if found is None else found.name)
    of = [known[name] for name in chosen if name in known] if chosen else list(known.values())
    topics = {one.topic or settings.topic for one in of}
    return topics | ({settings.topic} if len(of) < len(chosen) or not of else set()), set(chosen)


def _tell_unknown(name: str, known: Iterable[str]) -> None:
    """Raises `NotFound` for a name that is near to one of ours; any other may be what others announce."""
    near = nearest(name, known)
    if near is not None:
        raise NotFound(
            f"no signal {name} is declared here; did you mean {near}? --app '' takes any name as it is"
        )
    output.note(f"no signal {name} is declared here; it is looked for all the same: others may announce it")
