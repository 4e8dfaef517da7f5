"""The ledger: what was announced beside what became of it. It reads tables with SQL of its own."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection, text

from soak.chaos.script import Line

HANDLERS = {"Opened": ("open_up",), "Viewed": ("view", "tally")}
DEAD = ("fail", "reject", "die")  # what must be dead in `view`
Delivery = tuple[str, str, int]  # handler, key, the event's number


class Ends(NamedTuple):
    """What became of the deliveries; how often, where that may be wrong."""

    handled: Counter[Delivery]
    parked: Counter[Delivery]
    dead: Counter[Delivery]
    either: Counter[Delivery]
    """May be handled or dead: who else was given an event that killed its worker is not known to be innocent."""


def read(files: Iterable[Path]) -> list[Line]:
    """All that was announced."""
    found = []
    for file in files:
        for line in file.read_text().splitlines():
            signal, key, n, *fate = line.split("\t")
            found.append(Line(signal, key, int(n), "".join(fate)))
    return found


def expected(lines: Iterable[Line]) -> Ends:
    """What must become of them."""
    ends = Ends(Counter(), Counter(), Counter(), Counter())
    for line in lines:
        for handler in HANDLERS[line.signal]:
            delivery = (handler, line.key, line.n)
            if line.fate == "never":
                ends.parked[delivery] += 1
            elif line.fate in DEAD and handler == "view":
                ends.dead[delivery] += 1
            elif line.fate == "die":
                ends.either[delivery] += 1
            else:
                ends.handled[delivery] += 1
    return ends


def found(db: Connection) -> Ends:
    """What did become of them."""
    handled = db.execute(text("SELECT handler, key, n FROM chaos_effect"))
    found = Counter((handler, key, n) for handler, key, n in handled)
    return Ends(found, _rows(db, "parked"), _rows(db, "dead"), Counter())


def _rows(db: Connection, table: str) -> Counter[Delivery]:
    rows = db.execute(text(f"SELECT handler, value FROM oyez_{table}"))
    events = ((handler, json.loads(bytes(value))["data"]) for handler, value in rows)
    return Counter((handler.rpartition(".")[2], data["k"], data["n"]) for handler, data in events)


def differences(must: Ends, are: Ends) -> Mapping[str, int]:
    """How many deliveries are not where they must be, by what is wrong; all 0 if nothing is."""
    all_found = are.handled + are.parked + are.dead
    return {
        "lost": len(set(must.handled + must.parked + must.dead + must.either) - set(all_found)),
        "doubled": sum(count - 1 for count in all_found.values() if count > 1),
        "buried innocents": len(set(are.dead) - set(must.dead + must.either)),
        "not dead": len(set(must.dead) - set(are.dead)),
        "still parked": len(set(are.parked) - set(must.parked)),
        "not parked": len(set(must.parked) - set(are.parked)),
    }


def handled_in_order(db: Connection) -> list[tuple[tuple[str, str], int]]:
    """What was handled, in that order: (handler, key) and the event's number."""
    rows = db.execute(text("SELECT handler, key, n FROM chaos_effect ORDER BY seq"))
    return [((handler, key), n) for handler, key, n in rows]


def reasons(db: Connection) -> Mapping[str, int]:
    """Why deliveries are dead: the reason with the beginning of the error, and how many."""
    rows = db.execute(
        text("SELECT reason, left(error, 80), count(*) FROM oyez_dead GROUP BY 1, 2 ORDER BY 3 DESC")
    )
    return {f"{reason}: {error}": count for reason, error, count in rows}
