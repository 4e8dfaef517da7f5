"""Where `oyez replay` reads, and which events it takes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from oyez.producers.spool import found_in
from oyez.schemas import Catalogue
from oyez.schemas.text import flaw

from ...core.numerals import name_or_number
from ...logs.spool.folders import require_folders, spools_read
from ...replay.choosing import Wanted
from ...replay.sources import LinesSource, Source, SpoolSource
from ...settings import ListenSettings
from ..common import probes
from ..common.ages import moment_of
from ..common.bundles import Bundle
from ..common.data import text_of_file, text_of_stdin
from ..common.errors import NotFound, UsageProblem

Where = Annotated[
    str | None,
    typer.Argument(
        metavar="[spool|kafka|@FILE|-]",
        help="Where the events are: spool[:FOLDER], kafka[:TOPIC], or NDJSON as `oyez spool cat` prints it; what "
        "OYEZ_TRANSPORT writes unless said.",
    ),
]
FILTER = {
    "signals": Annotated[
        list[str] | None, typer.Option("--signal", help="Only this signal; may be repeated.")
    ],
    "keys": Annotated[list[str] | None, typer.Option("--key", help="Only this key; may be repeated.")],
    "ids": Annotated[
        list[str] | None, typer.Option("--id", metavar="EVENT", help="Only this event; may be repeated.")
    ],
    "sources": Annotated[
        list[str] | None, typer.Option("--source", help="Only of this source; may be repeated.")
    ],
    "since": Annotated[
        str | None, typer.Option("--since", metavar="TIME|AGE", help="Only what was announced then or later.")
    ],
    "until": Annotated[
        str | None, typer.Option("--until", metavar="TIME|AGE", help="Only what was announced before that.")
    ],
    "most": Annotated[
        int | None,
        typer.Option(
            "--max-replays",
            metavar="N",
            min=1,
            help="Leave out what was announced again N times before; 5 unless set.",
        ),
    ],
}


def _wanted(
    _context: typer.Context,
    *,
    signals: list[str] | None,
    keys: list[str] | None,
    ids: list[str] | None,
    sources: list[str] | None,
    since: str | None,
    until: str | None,
    most: int | None,
) -> Wanted:
    return Wanted(
        frozenset(signals or ()),
        frozenset(keys or ()),
        frozenset(ids or ()),
        frozenset(sources or ()),
        _moment("--since", since),
        _moment("--until", until),
        5 if most is None else most,
    )


def _moment(option: str, text: str | None) -> float | None:
    if text is None:
        return None
    moment = moment_of(text, time.time())
    if moment is None:
        raise UsageProblem(
            f"{option} {text}: write a time such as 2026-07-01T12:00:00Z, or an age such as 10m, 2h or 3d"
        )
    return moment


WANTED = Bundle("wanted", FILTER, _wanted)
"""A command gets which stored events are meant, as ``wanted``; signals as they were named."""


def named_signals(catalogue: Catalogue, names: Sequence[str]) -> frozenset[str]:
    """The names of these signals, which may be numbers. Raises `UnknownSignal`."""
    return frozenset(catalogue[name_or_number(name)].name for name in names)


def source_of(where: str | None, settings: ListenSettings, topics: Sequence[str]) -> Source:
    """The stored events that are meant; ``topics`` are those of Kafka unless one is named. Raises `UsageProblem`,
    `NotFound`, and what tells that a log is not there."""
    kind, has_place, place = (settings.transport if where is None else where).partition(":")
    if where == "-":
        return LinesSource("stdin", text_of_stdin())
    if where is not None and where.startswith("@"):
        return LinesSource(where, text_of_file(where))
    if reason := flaw(place if has_place else kind):
        raise UsageProblem(f"where the events are: it {reason}")
    if kind == "spool":
        roots = [Path(place)] if place else spools_read(settings)
        require_folders(roots)
        return SpoolSource(found_in(roots, settings.topic))
    if kind == "kafka":
        return _of_kafka(settings, [place] if place else topics)
    if where is None:
        raise UsageProblem(
            f"transport {settings.transport} (OYEZ_TRANSPORT) keeps no events; say where they are: spool, kafka, "
            f"@FILE or -"
        )
    raise UsageProblem(f"{where}: write spool, spool:FOLDER, kafka, kafka:TOPIC, @FILE or -")


def _of_kafka(settings: ListenSettings, topics: Sequence[str]) -> Source:
    from ...replay.kafka_source import TopicSource  # noqa: PLC0415 # whoever has a spool has no client of Kafka

    probes.kafka(settings)
    found = TopicSource(settings.kafka, settings.kafka_options, topics)
    missing = sorted(set(topics) - set(found.topics))
    if missing:
        raise NotFound(f"Kafka at {settings.kafka} has no topic {', '.join(missing)}")
    return found
