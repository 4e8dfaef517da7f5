"""Events are posted while collectors, their broker and their disk fail: what each sender was told is so."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence

from sqlalchemy import func, select

from integration.rows.running_app import RunningApp
from oyez.consumers.dev import Kafka
from soak.collecting.app import handled, tables
from soak.collecting.clients import Clients
from soak.collecting.doors import Door, doors
from soak.collecting.ledger import differences
from soak.figures import Figures, judged
from soak.outages import has_backlog
from support.small_disk import SmallDisk, small_disk

APP = "soak.collecting.app:on"
MEGABYTES = 200
SIGNAL = "soak.posted"
Tell = Callable[[str], None]


def collecting(
    app: RunningApp,
    broker: Kafka,
    *,
    events: int,
    troubles: int,
    hold: float,
    pause: float,
    seed: int,
    tell: Tell = print,
) -> Figures:
    """Every event of which a sender was told that it is stored is handled once, and none twice or against what was
    told. `hold` is for how many seconds something is frozen or full,
    `pause` for how many a client rests after a batch. Needs root, for the disk."""
    tables.create_all(app.engine)
    began, dice = time.monotonic(), random.Random(seed)
    with small_disk(MEGABYTES) as disk:
        spool = disk.folder / "spool"
        both = doors(app, spool)
        try:
            app.listen(workers=2)
            clients = Clients([door.address for door in both], events, seed, pause)
            clients.start()
            done = _trouble(clients, both, broker, disk, events, troubles, hold, dice, tell)
            clients.until(events)
            ledger = clients.ledger
            app.until(lambda: not has_backlog(spool), 300)
            for door in both:
                door.stop()
            app.until(lambda: _count(app) >= ledger.count("stored"), 600)
            app.until(lambda: app.status(SIGNAL)["lag"] == 0, 120)
        finally:
            for door in both:
                door.end()
    found = _handled(app)
    wrong = differences(ledger.told, found)
    values = {
        "seed": seed,
        "posted": len(ledger.told),
        "stored": ledger.count("stored"),
        "invalid": ledger.count("invalid"),
        "unknown": ledger.count("unknown"),
        "of these handled": sum(ledger.told.get(name) == "unknown" for name in found),
        "answers": dict(sorted(ledger.statuses.items())),
        **done,
        **wrong,
        "odd answers": ledger.odd[:3],
        "left": app.left(),
        "seconds": round(time.monotonic() - began, 1),
    }
    return judged("collector", values, **dict.fromkeys(wrong, 0), **{"odd answers": []}, left=0)


def _trouble(
    clients: Clients,
    both: Sequence[Door],
    broker: Kafka,
    disk: SmallDisk,
    events: int,
    troubles: int,
    hold: float,
    dice: random.Random,
    tell: Tell,
) -> Counter[str]:
    """All kinds in turn, at an even pace, while clients post."""

    def held(begin: Callable[[], object], end: Callable[[], object]) -> None:
        begin()
        try:
            time.sleep(hold)
        finally:
            end()

    kinds: Sequence[tuple[str, Callable[[], object]]] = (
        ("disk full", lambda: held(disk.fill, disk.free)),
        ("collector killed", lambda: dice.choice(both).kill()),
        ("broker killed", lambda: held(broker.kill, broker.restart)),
        ("collector restarted", lambda: dice.choice(both).restart()),
        ("broker frozen", lambda: held(broker.freeze, broker.thaw)),
    )
    done: Counter[str] = Counter()
    for turn in range(troubles):
        clients.until((turn + 1) * events // (troubles + 1))
        if not clients.are_there():
            break
        name, make = kinds[turn % len(kinds)]
        make()
        done[name] += 1
        tell(f"collector: {name}, {clients.ledger.count('stored')} of {events} stored")
    return done


def _count(app: RunningApp) -> int:
    with app.engine.connect() as db:
        return int(db.execute(select(func.count(handled.c.event.distinct()))).scalar_one())


def _handled(app: RunningApp) -> Counter[str]:
    with app.engine.connect() as db:
        return Counter(db.execute(select(handled.c.event)).scalars())
