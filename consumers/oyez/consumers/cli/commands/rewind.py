"""`oyez rewind`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from ...admin import Rewinding, Rewound
from ...core.counted import Unit, amount, several
from ...database import Database as Transactions
from ...database.clock import DatabaseClock
from ...database.positions import Partition
from ...handlers.application import Group, StartError
from ...logs.lookup import log_backend
from ...logs.offsets import Ends, Offsets
from ...run.topics import topics_of
from ...settings import ListenSettings
from ..common import completing, output, probes
from ..common.application import application_of
from ..common.bulk import Yes
from ..common.bundles import taking
from ..common.confirming import confirm
from ..common.errors import NotFound, UsageProblem
from ..common.offsets import offsets_in
from ..common.options import Json, settings_by
from .rewind_to import Place, place_of

COLUMNS = (
    output.Column("topic", lambda row: row.partition.topic, whole=True),
    output.Column("partition", lambda row: row.partition.number),
    output.Column("from", lambda row: row.before),
    output.Column("to", lambda row: row.after),
    output.Column("read again", lambda row: row.read_again),
    output.Column("skipped", lambda row: row.skipped),
    output.Column("was halted", lambda row: "yes" if row.was_halted else "no"),
)


@dataclass(frozen=True)
class Wanted:
    """What was asked for: all topics and partitions if none is named."""

    place: Place
    topics: Sequence[str]
    partitions: Sequence[int]
    is_again: bool


@taking(settings_by("app", "kafka", "database"))
def rewind(
    *,
    group: Annotated[
        str,
        typer.Argument(
            autocompletion=completing.groups,
            metavar="GROUP",
            help="The group, such as shop.page.viewed or page.viewed.",
        ),
    ],
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="earliest|latest|TIME|OFFSET",
            help="Where to go on: TIME is ISO 8601 (UTC, unless it says otherwise) or an age such as 2h.",
        ),
    ],
    topic: Annotated[
        list[str] | None, typer.Option("--topic", help="Only in this topic; may be repeated.")
    ] = None,
    partition: Annotated[
        list[int] | None, typer.Option("--partition", min=0, help="Only this partition; may be repeated.")
    ] = None,
    again: Annotated[
        bool,
        typer.Option(
            "--again",
            help="Also handle what was handled before, though the inbox has it. This doubles effects, on purpose.",
        ),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    yes: Yes = False,
    as_json: Json = False,
    settings: ListenSettings,
) -> None:
    """Let a group go on from other positions, back or forward, and read its halted partitions again.

    What is read again and was handled before is skipped, as long as the inbox has it; --again handles it again.
    """
    wanted = Wanted(place_of(to, time.time()), topic or (), partition or (), again)
    found = _group(settings, group)
    with probes.engine_of(settings) as engine:
        backend = log_backend(settings)
        offsets = offsets_in(backend, engine)
        logs = _logs(topics_of(found, settings), wanted.topics, offsets, found.name, backend.where)
        chosen = _chosen(logs, wanted, offsets)
        rewinding = Rewinding(found, Transactions(engine), offsets, logs, DatabaseClock())
        rows = rewinding.plan(chosen)
        _say(found, rows, settings, offsets.unit, is_again=again)
        if not dry_run:
            confirm(_question(found, rows, offsets.unit), yes=yes)
            rows = rewinding.perform(chosen, is_again=again)
    _print(found, rows, as_json=as_json)
    if not dry_run and found.is_exact:
        output.note("workers that run go on from there within seconds")


def _group(settings: ListenSettings, name: str) -> Group:
    application = application_of(settings)
    try:
        return application.group(name)
    except StartError as error:
        raise NotFound(str(error)) from None


def _logs(
    read: Sequence[str], topics: Sequence[str], offsets: Offsets, group: str, where: str
) -> Sequence[Ends]:
    """The logs of the topics that are meant, among those that the group reads."""
    for topic in topics:
        if topic not in read:
            raise UsageProblem(f"--topic {topic}: {group} reads {', '.join(read)}")
    wanted = sorted(set(topics)) or read
    found = offsets.ends(wanted)
    missing = set(wanted) - {log.topic for log in found}
    if missing:
        raise NotFound(f"{where} has no topic {', '.join(sorted(missing))}")
    return found


def _chosen(logs: Sequence[Ends], wanted: Wanted, offsets: Offsets) -> dict[Partition, int]:
    """The partitions that are meant, and where each is to go on."""
    _check_numbers(logs, wanted.partitions)
    chosen = {}
    for log in logs:
        places = wanted.place(offsets, log)
        for number in sorted(places.keys() & (set(wanted.partitions) or places.keys())):
            low, high = log.partitions[number]
            if not low <= places[number] <= high:
                raise UsageProblem(
                    f"--to {places[number]}: {log.topic} partition {number} has the offsets {low} to {high}; "
                    f"nothing was changed"
                )
            if not offsets.is_begin(log, number, places[number]):
                raise UsageProblem(
                    f"--to {places[number]}: no event begins there in {log.topic} partition {number}, whose offsets "
                    f"are {offsets.unit}; nothing was changed; give the offset of an event as `oyez dead show` or a "
                    f"log line has it, or a time"
                )
            chosen[Partition(log.topic, log.topic_id, number)] = places[number]
    return chosen


def _check_numbers(logs: Sequence[Ends], wanted: Sequence[int]) -> None:
    for topic in sorted({log.topic for log in logs}):
        there = {number for log in logs if log.topic == topic for number in log.partitions}
        for number in sorted(set(wanted) - there):
            raise UsageProblem(f"--partition {number}: {topic} has {several(len(there), 'partition')}")


def _amounts(rows: Sequence[Rewound], unit: Unit) -> tuple[str, str]:
    """How much is read again and how much is skipped, in words; empty where it is nothing."""
    again, skipped = sum(row.read_again for row in rows), sum(row.skipped for row in rows)
    return amount(again, unit) if again else "", amount(skipped, unit) if skipped else ""


def _question(group: Group, rows: Sequence[Rewound], unit: Unit) -> str:
    again, skipped = _amounts(rows, unit)
    return (
        f"rewind {group.name} in {several(len(rows), 'partition')}, which reads {again or 'nothing'} again "
        f"and skips {skipped or 'nothing'}?"
    )


def _say(
    group: Group, rows: Sequence[Rewound], settings: ListenSettings, unit: Unit, *, is_again: bool
) -> None:
    """What comes of it."""
    again, skipped = _amounts(rows, unit)
    if again and not group.is_exact:
        output.note("an at-least-once group has no inbox: what is read again is handled again")
    elif again and is_again:
        output.note(
            f"--again: up to {again} that were handled before are handled again, which doubles "
            f"their effects; deliveries of theirs that are parked or dead stay as they are"
        )
    elif again:
        output.note(
            f"of up to {again} that are read again, the inbox skips what it has: what was "
            f"handled in the last {settings.inbox_days:g} days; --again handles all of it again"
        )
    if skipped:
        output.note(f"up to {skipped} are skipped: the group never reads them")


def _print(group: Group, rows: Sequence[Rewound], *, as_json: bool) -> None:
    if as_json:
        output.json_array(_as_dict(group, row) for row in rows)
    else:
        output.table(rows, COLUMNS, empty="")


def _as_dict(group: Group, row: Rewound) -> dict[str, Any]:
    return {
        "group": group.name,
        "topic": row.partition.topic,
        "partition": row.partition.number,
        "from": row.before,
        "to": row.after,
        "read_again": row.read_again,
        "skipped": row.skipped,
        "was_halted": row.was_halted,
    }
