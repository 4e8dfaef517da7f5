"""What the handlers did, compared with what the announcing servers recorded."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Engine, func, select

from integration.shop import chained, sessions, trails, views
from support.tables import table_named


class Announced(NamedTuple):
    signal: str
    session_id: str
    source: str
    event_id: str


def read_record(path: Path) -> list[Announced]:
    return [Announced(*line.split()) for line in path.read_text().splitlines()]


@dataclass(frozen=True)
class Findings:
    """All of them are to be 0. ``early``: views handled before their session."""

    lost: int
    doubled: int
    overtaken: int
    early: int
    parked: int
    dead: int


CLEAN = Findings(lost=0, doubled=0, overtaken=0, early=0, parked=0, dead=0)

Effect = tuple[str, str, str]
"""(handler, source, event id)."""


def expected_effects(announced: list[Announced]) -> Counter[Effect]:
    """One effect for each event and handler with a table, the trail apart."""
    names = {"Started": ("start", "visit_start"), "Viewed": ("count", "visit_view")}
    return Counter((name, a.source, a.event_id) for a in announced for name in names[a.signal])


def effects(engine: Engine) -> Counter[Effect]:
    with engine.connect() as db:
        found = [tuple(row) for row in db.execute(select(views.c.handler, views.c.source, views.c.event_id))]
        found += [("start", *row) for row in db.execute(select(sessions.c.source, sessions.c.event_id))]
    return Counter(found)


def expected_trails(announced: list[Announced]) -> dict[tuple[str, str], str]:
    chains: dict[tuple[str, str], str] = defaultdict(str)
    for one in announced:
        if one.signal == "Viewed":
            where = (one.session_id, one.source)
            chains[where] = chained(chains[where], one.event_id)
    return dict(chains)


def count_rows(engine: Engine, *names: str) -> int:
    """The number of rows in some of Oyez's tables."""
    with engine.connect() as db:
        counts = [db.execute(select(func.count()).select_from(table_named(n))) for n in names]
        return sum(int(count.scalar_one()) for count in counts)


def find(engine: Engine, announced: list[Announced], handlers: Collection[str] | None = None) -> Findings:
    """Compare; only what these handlers did, if any are named."""
    wanted, found = expected_effects(announced), effects(engine)
    if handlers is not None:
        wanted = Counter({effect: n for effect, n in wanted.items() if effect[0] in handlers})
    with engine.connect() as db:
        rows = db.execute(select(trails.c.session_id, trails.c.source, trails.c.hash))
        chains = {(row.session_id, row.source): row.hash for row in rows}
        early = db.execute(select(func.sum(views.c.early))).scalar() or 0
    wanted_chains = expected_trails(announced)
    return Findings(
        lost=(wanted - found).total(),
        doubled=(found - wanted).total(),
        overtaken=sum(chains.get(where) != end for where, end in wanted_chains.items()),
        early=int(early),
        parked=count_rows(engine, "parked"),
        dead=count_rows(engine, "dead"),
    )
