"""Announcing and listening under all kinds of trouble at once, with clocks that disagree."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import DBAPIError

from oyez.consumers.database.migrating import upgrade
from soak.chaos import ledger
from soak.chaos.app import tables
from soak.chaos.servers import Servers
from soak.chaos.troubles import Troubles
from soak.figures import Figures, judged, overtaken
from support.processes import Program
from support.waiting import eventually


@dataclass(frozen=True)
class Size:
    """How large a run is. ``deaths`` are the events of each announcing server that kill whoever handles them."""

    events: int
    seconds: float
    rounds: int
    deaths: int
    hold: float = 8.0  # s for which something is frozen or full
    announcers: int = 3
    timeout: float = 300.0


def run(
    size: Size,
    folder: Path,
    direct: str,
    announcing: Sequence[Mapping[str, str]],
    servers: Servers,
    troubles: Troubles,
    *,
    seed: int,
    tell: Callable[[str], None],
) -> Figures:
    """Announced = handled + parked + dead, as the fates say. ``direct`` is the database without a pooler between."""
    began = time.monotonic()
    files = [folder / f"ledger-{n}" for n in range(len(announcing))]
    each = size.events // len(announcing)
    given = (str(seed), str(each), str(size.seconds), str(size.deaths))
    programs = [
        Program(folder / f"announce-{n}.log", "soak.chaos.announcing", str(files[n]), *given, env=dict(env))
        for n, env in enumerate(announcing)
    ]
    try:
        _trouble(troubles, size, began, tell)
        codes = [program.wait(size.seconds + size.timeout) for program in programs]
    finally:
        for program in programs:
            program.end()
    lines = ledger.read(files)
    engine = create_engine(direct)
    _settle(engine, ledger.expected(lines), servers, size.timeout, tell)
    stopped, grace = servers.stop()
    with engine.connect() as db:
        wrong = ledger.differences(ledger.expected(lines), ledger.found(db))
        late = overtaken(ledger.handled_in_order(db))
        for reason, count in ledger.reasons(db).items():
            tell(f"chaos: {count} dead, {reason}")
    engine.dispose()
    values = {
        "seed": seed,
        "announced": len(lines),
        **{name: sum(end.values()) for name, end in ledger.expected(lines)._asdict().items()},
        **troubles.done,
        **wrong,
        "overtaken": late,
        "seconds": round(time.monotonic() - began, 1),
        "stopped within s": round(grace, 1),
        "workers killed by their supervisor": servers.said().count("killed it"),
        "announcers": codes,
        "exit codes": stopped,
    }
    must = {**dict.fromkeys(wrong, 0), "overtaken": 0, "workers killed by their supervisor": 0}
    clean = {"announcers": [0] * len(codes), "exit codes": [0] * len(stopped)}
    return judged("chaos", values, **must, **clean)


def migrate(direct: str) -> None:
    """Make Oyez's tables and the application's."""
    engine = create_engine(direct)
    upgrade(engine)
    tables.create_all(engine)
    engine.dispose()


def _trouble(troubles: Troubles, size: Size, began: float, tell: Callable[[str], None]) -> None:
    """All troubles at an even pace while events are announced, ending well before the last one."""
    order = troubles.order(size.rounds)
    for number, (name, trouble) in enumerate(order):
        moment = began + (number + 1) * 0.9 * size.seconds / (len(order) + 1)
        time.sleep(max(0.0, moment - time.monotonic()))
        tell(f"chaos: {number + 1} of {len(order)}, {name}")
        troubles.make(name, trouble)


def _settle(
    engine: Engine, must: ledger.Ends, servers: Servers, timeout: float, tell: Callable[[str], None]
) -> None:
    """Wait until as much is handled or dead as must be, and no more is parked. The ledger finds what is wrong then."""
    last = 0.0

    def is_done() -> bool:
        nonlocal last
        servers.tend()
        try:
            with engine.connect() as db:
                handled = db.execute(text("SELECT count(*) FROM chaos_effect")).scalar_one()
                parked = db.execute(text("SELECT count(*) FROM oyez_parked")).scalar_one()
                dead = db.execute(text("SELECT count(*) FROM oyez_dead")).scalar_one()
        except DBAPIError:
            return False
        if time.monotonic() - last > 10:
            last = time.monotonic()
            tell(f"chaos: {handled} of {must.handled.total()} handled, {parked} parked")
        ended = must.handled.total() + must.dead.total() + must.either.total()
        return bool(handled + dead >= ended and parked <= must.parked.total())

    try:
        eventually(is_done, timeout, 0.5)
    except AssertionError as error:
        tell(f"chaos: {error}")
