"""Exactly once with a handler that is called for each event, on PostgreSQL: beside the build before, and beside a
transaction and a synchronous commit of the offset for each event, by hand. Each is a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from bed import Row, Services, database, fill, new_topic
from before import COMMIT, environment
from each_process import BY_HAND, KINDS
from listening import effects
from processes import LIMIT, clean
from signals import encoded, views
from sqlalchemy import create_engine

PROCESS = Path(__file__).parent / "each_process.py"
GOALS = {"core": ("one Core statement each", 3.0), "orm": ("ORM add", 1.5)}
GOAL_BY_HAND = 60.0
FEWER = 20  # events of those by hand


def rows(services: Services, count: int, turns: int) -> Iterator[Row]:
    topic = new_topic(services.kafka)
    fill(services.kafka, topic, encoded(views(count)))
    few = max(1, count // FEWER)
    now, before = Path(sys.prefix), environment()
    with database(services) as url:
        for kind in KINDS:
            name, goal = GOALS[kind]
            work = f"exactly-once, a call for each event, {name}"
            beside = Row(work, f"the build {COMMIT}", goal)
            by_hand = Row(work, "a transaction and an offset commit for each", GOAL_BY_HAND)
            for turn in range(turns):
                sides = [
                    (now, kind, count, [(beside, "ours"), (by_hand, "ours")]),
                    (before, kind, count, [(beside, "loop")]),
                    (now, kind + BY_HAND, few, [(by_hand, "loop")]),
                ]
                for where, what, events, told in sides if turn % 2 else reversed(sides):
                    seconds, handled = _run(where, what, services.kafka, topic, url, events)
                    for row, side in told:
                        row.add(side, events, seconds, handled)
            yield beside
            yield by_hand


def _run(where: Path, kind: str, kafka: str, topic: str, url: str, count: int) -> tuple[float, list[int]]:
    """How many seconds it took, and which events left an effect."""
    command = [where / "bin" / "python", PROCESS, kind, kafka, topic, url, str(count)]
    done = subprocess.run(
        command, env=clean(), check=True, stdout=subprocess.PIPE, text=True, timeout=10 * LIMIT
    )
    engine = create_engine(url)
    handled = effects(engine)
    engine.dispose()
    return float(done.stdout.split()[-1]), handled
