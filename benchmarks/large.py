"""Ten parked rows and a hundred of the inbox for each event, on PostgreSQL, beside tables that are empty."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from bed import Figure, Row, Services, database
from before import HOME
from processes import wall_time
from retry_table import WAITING, Bench, park
from sqlalchemy import Engine, text

from oyez.consumers.database.migrating import HEAD, VERSION_TABLE

PARKED, INBOX = 10, 100
STEP = 1_000_000  # rows of one statement
SWEEPS = 20
APPLICATION = """
from oyez.consumers import Handlers
from oyez.schemas import Signal

class Started(Signal, name="session.started", key="session_id", subject="session_id"):
    session_id: str

class Followed(Signal, name="page.followed", key="tab", requires={Started: "session_id"}):
    tab: str
    session_id: str

on = Handlers("backlog")

@on(Started, group="all")
def start(event: Started) -> None: ...

@on(Followed, group="all")
def wait(event: Followed) -> None: ...
"""
_TAKEN = text("""
    INSERT INTO oyez_inbox (group_name, source, event_id, taken_at)
    SELECT 'backlog.all', 'taken', '0197f3a0-0000-7000-8000-' || lpad(to_hex(n), 12, '0'), extract(epoch FROM now())
    FROM generate_series(CAST(:low AS int), CAST(:high AS int)) AS n
""")


def rows(services: Services, count: int, turns: int) -> Iterator[Row | Figure]:
    parked, inbox = PARKED * count, INBOX * count
    tables = f"beside {parked:,} parked, {inbox:,} in the inbox"
    with database(services) as large, database(services) as empty:
        full, none = Bench(large), Bench(empty)
        _fill(full, parked, inbox)
        _name_version(full.engine)
        yield _ready(full, none, tables, count, turns)
        yield _sweep(full, none, tables)
        full.close()
        none.close()
        yield from _commands(large, tables, turns)


def _fill(bench: Bench, parked: int, inbox: int) -> None:
    for low in range(1, parked + 1, STEP):
        park(bench.engine, WAITING, low, min(low + STEP - 1, parked))
        _progress(min(low + STEP - 1, parked), parked, "parked rows")
    for low in range(1, inbox + 1, STEP):
        _take(bench.engine, low, min(low + STEP - 1, inbox))
        _progress(min(low + STEP - 1, inbox), inbox, "rows of the inbox")
    bench.analyze()


def _take(engine: Engine, low: int, high: int) -> None:
    with engine.begin() as db:
        db.execute(_TAKEN, {"low": low, "high": high})


def _name_version(engine: Engine) -> None:
    """Commands ask for it."""
    with engine.begin() as db:
        db.exec_driver_sql(f"CREATE TABLE {VERSION_TABLE} (version_num TEXT)")
        db.execute(text(f"INSERT INTO {VERSION_TABLE} VALUES (:head)"), {"head": HEAD})


def _progress(done: int, of: int, what: str) -> None:
    print(f"filling: {done:,} of {of:,} {what}", file=sys.stderr, flush=True)


def _ready(full: Bench, none: Bench, tables: str, count: int, turns: int) -> Row:
    """Each turn reads the same on both; it looks at its own account."""
    row = Row(f"ready events {tables}", "the empty tables", 0.9)
    for bench in (full, none):
        bench.read(count // 10)
    for turn in range(turns):
        both = [("ours", full), ("loop", none)]
        for name, bench in both if turn % 2 else reversed(both):
            row.rates[name].append(bench.read(count))
    return row


def _sweep(full: Bench, none: Bench, tables: str) -> Figure:
    """Nothing of it is due."""
    taken: dict[str, list[float]] = {"full": [], "none": []}
    for _ in range(SWEEPS):
        for name, bench in (("full", full), ("none", none)):
            begun = time.perf_counter()
            bench.worker._retrying.sweep(lambda _: None)
            taken[name].append(time.perf_counter() - begun)
    long, short = median(taken["full"]), median(taken["none"])
    times = long / short
    return Figure(
        f"a sweep {tables}",
        f"the empty tables, {short * 1e3:.1f} ms",
        f"{long * 1e3:.1f} ms, {times:.2f} times",
        "1.5 times or less",
        times <= 1.5,
    )


def _commands(url: str, tables: str, turns: int) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "shop.py").write_text(APPLICATION)
        (folder / "oyez.toml").write_text(f'app = "shop:on"\ndatabase = "{url}"\n')
        for command in (["status"], ["retry", "list", "--limit", "100"]):  # as on a terminal
            seconds = median(wall_time([HOME / ".venv/bin/oyez", *command], folder) for _ in range(turns))
            yield Figure(
                f"oyez {' '.join(command)} {tables}",
                "the whole process",
                f"{seconds:.2f} s",
                "2 s or less",
                seconds <= 2,
            )
