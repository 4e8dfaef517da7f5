"""What `oyez replay` has found, by signal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from operator import itemgetter
from typing import Any

from oyez.schemas.replaying import Stored

from ...replay.choosing import MOST_SHOWN, Picked, Seen
from ..common import output
from ..common.confirming import several

BY_SIGNAL = tuple(output.Column(name, itemgetter(name)) for name in ("signal", "events", "first", "last"))


class Counted:
    """Stored events, counted by signal, with the times of the first and the last that was read."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[str, Any]] = {}

    def add(self, event: Stored) -> None:
        """Count one more."""
        row = self._rows.setdefault(
            event.signal, {"signal": event.signal, "events": 0, "first": event.time, "last": None}
        )
        row["events"] += 1
        row["last"] = event.time

    def rows(self) -> list[dict[str, Any]]:
        """By signal, in the order of their names."""
        return [self._rows[name] for name in sorted(self._rows)]


def print_found(events: Iterable[Picked], *, as_json: bool) -> None:
    """What would be replayed."""
    found = Counted()
    for one in events:
        found.add(one.event)
    if as_json:
        output.json_array(found.rows())
    else:
        output.table(found.rows(), BY_SIGNAL, empty="no stored event is meant")


def print_done(counts: Mapping[str, Any], *, as_json: bool) -> None:
    """What was done."""
    if as_json:
        output.json_array([counts])
    else:
        columns = [output.Column(name.replace("_", " "), itemgetter(name)) for name in counts]
        output.table([counts], columns, empty="")


def say(seen: Seen, looped: int) -> None:
    """What was seen beside the events that are meant."""
    if seen.unreadable:
        output.note(f"{several(seen.unreadable, 'record')} cannot be read as events, and were left out")
        for reason in seen.reasons:
            output.note(reason)
    for one in seen.missing[:MOST_SHOWN]:
        output.note(one)
    if len(seen.missing) > MOST_SHOWN:
        output.note(f"and {len(seen.missing) - MOST_SHOWN} more such places; oyez spool verify says all")
    if looped:
        output.note(
            f"{several(looped, 'event')} were announced again too often, and are left out: does something replay what "
            f"it has replayed? --max-replays allows more"
        )
