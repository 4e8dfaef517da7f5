"""Applications that write and announce in one transaction, and the relays of their outbox, killed again and again."""

from __future__ import annotations

import random
import signal
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import select

from integration.rows.running_app import RunningApp
from integration.rows.scripted_app import effects
from soak.figures import Figures, judged
from support.processes import Program
from support.waiting import eventually

APPLICATIONS = 2
RELAYS = 2


def applications_and_drainers_killed(
    running_app: RunningApp, *, rounds: int, seed: int, tell: Callable[[str], None] = print
) -> Figures:
    """Row and event both, or neither; every event is handled once, in the order of its key."""
    chance = random.Random(seed)
    began = time.monotonic()
    listening = running_app.listen("rows.placed")
    with _relays(running_app) as relays:
        for turn in range(rounds):
            _round(running_app, turn, chance, relays)
            if turn % 10 == 9:
                tell(f"outbox: {turn + 1} of {rounds} rounds, {time.monotonic() - began:.0f} s")
        running_app.until(
            lambda: (
                running_app.size("outbox") == 0 and running_app.count("place") >= running_app.count("row")
            ),
            120,
        )
    rows, handled = _numbers(running_app, "row"), _numbers(running_app, "place")
    committed = {path.stem: len(path.read_text().splitlines()) for path in running_app.folder.glob("*.notes")}
    values = {
        "seed": seed,
        "rounds": rounds,
        "killed": len(committed) + rounds,
        "committed": sum(committed.values()),
        "rows": sum(map(len, rows.values())),
        "events": sum(map(len, handled.values())),
        "committed without a row": sum(len(rows[name]) < count for name, count in committed.items()),
        "rows without their event": sum(len(set(own) - set(handled[name])) for name, own in rows.items()),
        "events without their row": sum(len(set(own) - set(rows[name])) for name, own in handled.items()),
        "doubled": sum(len(own) - len(set(own)) for own in handled.values()),
        "out of order": sum(own != sorted(own) for own in handled.values()),
        "dead": running_app.size("dead"),
        "seconds": round(time.monotonic() - began, 1),
        "exit": listening.stop(),
    }
    none = ("committed without a row", "rows without their event", "events without their row", "doubled")
    return judged("outbox", values, **dict.fromkeys((*none, "out of order", "dead", "exit"), 0))


def _round(running_app: RunningApp, turn: int, chance: random.Random, relays: list[Program]) -> None:
    """Some applications, killed after a while, and a relay, killed and replaced."""
    running = []
    for n in range(APPLICATIONS):
        notes = running_app.folder / f"{turn}-{n}.notes"
        notes.touch()
        log = running_app.folder / f"{turn}-{n}.log"
        settings = {**running_app.env, "OYEZ_SOURCE": f"web-{n}"}
        program = Program(log, "soak.transacting", str(notes), notes.stem, env=settings)
        running.append((program, notes, chance.randrange(50, 500)))
    for program, notes, least in running:
        try:
            eventually(lambda notes=notes, least=least: notes.stat().st_size > least, 60, every=0.001)
            time.sleep(chance.uniform(0, 0.01))  # the moment itself is chance
        finally:
            program.send(signal.SIGKILL)
            program.wait()
    victim = chance.randrange(RELAYS)
    relays[victim].send(signal.SIGKILL)
    relays[victim].wait()
    relays[victim] = _relay(running_app, f"relay-{turn}")


@contextmanager
def _relays(running_app: RunningApp) -> Iterator[list[Program]]:
    running = [_relay(running_app, f"relay-first-{n}") for n in range(RELAYS)]
    try:
        yield running
    finally:
        for program in running:
            program.end()


def _relay(running_app: RunningApp, name: str) -> Program:
    log: Path = running_app.folder / f"{name}.log"
    return Program(log, "oyez.consumers.cli", "outbox", "relay", "--every", "0.1", env=running_app.env)


def _numbers(running_app: RunningApp, handler: str) -> dict[str, list[int]]:
    query = select(effects.c.k, effects.c.n).where(effects.c.handler == handler).order_by(effects.c.seq)
    found: dict[str, list[int]] = defaultdict(list)
    with running_app.engine.connect() as db:
        for row in db.execute(query):
            found[row.k].append(row.n)
    return found
