"""Processes that announce into the spool, killed again and again while workers, killed as well, read it."""

from __future__ import annotations

import random
import signal
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import select

from integration.rows.running_app import RunningApp
from integration.rows.scripted_app import effects
from oyez.producers.spool import LogReader, SegmentName, Segments, found_in
from soak.figures import Figures, judged
from support.processes import Program
from support.waiting import eventually

PROCESSES = 4
SEGMENT = 20_000  # bytes, so that killing meets rotations too


def announcers_killed(
    running_app: RunningApp, *, rounds: int, seed: int, tell: Callable[[str], None] = print
) -> Figures:
    """Every event whose announce() had returned is handled once; of each process one at most is missing."""
    chance = random.Random(seed)
    listening = running_app.listen("rows.placed")
    began = time.monotonic()
    for turn in range(rounds):
        _round(running_app, turn, chance)
        if turn % 5 == 4:
            for worker in listening.children():
                worker.send_signal(signal.SIGKILL)
        if turn % 20 == 19:
            tell(f"spool: {turn + 1} of {rounds} rounds, {time.monotonic() - began:.0f} s")
    announced = {path.stem: len(path.read_text().splitlines()) for path in running_app.folder.glob("*.notes")}
    running_app.until(lambda: running_app.count("place") >= _recorded(running_app), 120)
    handled = _handled(running_app)
    swept = running_app.command("sweep")
    values = {
        "seed": seed,
        "rounds": rounds,
        "killed": len(announced),
        "announced": sum(announced.values()),
        "handled": sum(map(len, handled.values())),
        "lost": sum(max(0, count - len(handled[name])) for name, count in announced.items()),
        "too many": sum(max(0, len(handled[name]) - count - 1) for name, count in announced.items()),
        "out of order": sum(numbers != list(range(len(numbers))) for numbers in handled.values()),
        "damaged": _damaged(running_app.folder / "spool", running_app.topic),
        "dead": running_app.size("dead"),
        "sweep": swept.returncode,
        "seconds": round(time.monotonic() - began, 1),
        "exit": listening.stop(),
    }
    wrong = {"lost": 0, "too many": 0, "out of order": 0, "damaged": 0, "dead": 0, "sweep": 0, "exit": 0}
    return judged("announcers killed", values, **wrong)


def _round(running_app: RunningApp, turn: int, chance: random.Random) -> None:
    env = {
        **running_app.env,
        "OYEZ_SPOOL": str(running_app.folder / "spool"),
        "OYEZ_SPOOL_FSYNC": "always",
        "OYEZ_SPOOL_SEGMENT_BYTES": str(SEGMENT),
    }
    programs = []
    for n in range(PROCESSES):
        name = f"{turn}-{n}"
        notes = running_app.folder / f"{name}.notes"
        notes.touch()
        log = running_app.folder / f"{name}.log"
        programs.append(
            (
                Program(log, "soak.announcing", str(notes), name, env={**env, "OYEZ_SOURCE": f"web-{n}"}),
                notes,
                chance.randrange(1, 400),
            )
        )
    for program, notes, least in programs:
        try:
            eventually(lambda notes=notes, least=least: notes.stat().st_size > least, 60)
        finally:
            program.send(signal.SIGKILL)
            program.wait()


def _recorded(running_app: RunningApp) -> int:
    return sum(1 for line in _lines(running_app.folder / "spool", running_app.topic) if line)


def _lines(spool: Path, topic: str) -> list[bytes]:
    found: list[bytes] = []
    for folder in found_in([spool], topic):
        reader, position = LogReader(Segments(folder.path, folder.log_id)), 0
        while (read := reader.read(position, 1_000))[1]:
            found += read[1]
            position = read[2]
        reader.close()
    return found


def _damaged(spool: Path, topic: str) -> int:
    """Lines that are no whole event, and segments that do not begin where the one before ends."""
    bad = sum(not (line.startswith(b"{") and line.endswith(b"}")) for line in _lines(spool, topic))
    for folder in found_in([spool], topic):
        files = sorted(one for one in folder.path.iterdir() if SegmentName.parse(one.name))
        bases = [name.base for one in files if (name := SegmentName.parse(one.name))]
        sizes = [one.stat().st_size for one in files]
        bad += [sum(sizes[:n]) for n in range(len(sizes))] != bases
    return bad


def _handled(running_app: RunningApp) -> dict[str, list[int]]:
    query = select(effects.c.k, effects.c.n).where(effects.c.handler == "place").order_by(effects.c.seq)
    found: dict[str, list[int]] = defaultdict(list)
    with running_app.engine.connect() as db:
        for row in db.execute(query):
            found[row.k].append(row.n)
    return found
