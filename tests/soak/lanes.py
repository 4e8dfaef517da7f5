"""Concurrent handlers while workers are killed and frozen, the database is restarted, and handlers fail, hang and are
not ready: each event once, those of a key in their order."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Sequence

from sqlalchemy import select

from integration.rows.lane_app import Moved
from integration.rows.running_app import RunningApp
from integration.rows.scripted_app import effects
from oyez.consumers.dev import Postgres
from soak.figures import Figures, judged, overtaken
from support.processes import Program

GROUPS = {"threads": "thread", "tasks": "task"}
"""The groups, with the handler of each."""
ASKS = ("fail", "later", "hang")
LISTENERS, WORKERS = 2, 2
IMPATIENT = {"budget": 2, "idle_in_transaction": 5, "stuck_after": 6}
"""Settings of the application, so that those who are frozen are not waited for."""


class Trouble:
    """What happens to the workers and the database: so many troubles, spread over so many seconds."""

    def __init__(
        self,
        app: RunningApp,
        server: Postgres,
        counts: dict[str, int],
        seconds: float,
        dice: random.Random,
        tell: Callable[[str], None],
    ) -> None:
        self._app = app
        self._server = server
        self._dice = dice
        self._tell = tell
        self._due = sorted(
            (dice.uniform(0, seconds), kind) for kind, count in counts.items() for _ in range(count)
        )
        self._began = time.monotonic()
        self.came: Counter[str] = Counter()
        self.listening: list[Program] = [app.listen(workers=WORKERS) for _ in range(LISTENERS)]

    @property
    def is_over(self) -> bool:
        return not self._due

    def watch(self) -> None:
        """Let happen what is due."""
        while self._due and time.monotonic() - self._began >= self._due[0][0]:
            _, kind = self._due.pop(0)
            self._happen(kind)
            self.came[kind] += 1
            self._tell(f"lanes: {dict(self.came)}")

    def _happen(self, kind: str) -> None:
        if kind == "restart":
            self._server.kill()
            self._server.restart()
            return
        workers = self._dice.choice(self.listening).children()
        if workers:
            self._dice.choice(workers).send_signal(signal.SIGKILL if kind == "kill" else signal.SIGSTOP)


def in_lanes(
    app: RunningApp,
    server: Postgres,
    *,
    events: int,
    keys: int,
    troubles: dict[str, int],
    seconds: float,
    seed: int,
    timeout: float,
    tell: Callable[[str], None],
) -> Figures:
    """``troubles``: how many of kill, freeze and restart. A tenth of the events ask for something."""
    dice = random.Random(seed)
    app.env["OYEZ_APP"] = "integration.rows.lane_app:on"
    announced = [
        Moved(k=f"k{dice.randrange(keys)}", n=n, asks=dice.choice(ASKS) if dice.random() < 0.1 else "")
        for n in range(events)
    ]
    began = time.monotonic()
    trouble = Trouble(app, server, troubles, seconds, dice, tell)
    for at in range(0, events, 50):
        app.announce(*announced[at : at + 50])
        trouble.watch()

    def is_done() -> bool:
        trouble.watch()
        return trouble.is_over and all(_count(app, handler) >= events for handler in GROUPS.values())

    app.until(is_done, timeout, 0.3)
    app.until(lambda: app.left() == 0, 60)
    values = {
        "seed": seed,
        "events": events,
        **{f"came {kind}": count for kind, count in trouble.came.items()},
        "handled once": all(
            Counter(app.effects(handler)) == Counter(range(events)) for handler in GROUPS.values()
        ),
        "overtaken": sum(overtaken(_handled(app, handler)) for handler in GROUPS.values()),
        "left": app.left(),
        "notes": app.size("start"),
        "seconds": round(time.monotonic() - began, 1),
    }
    return judged("lanes", values, overtaken=0, left=0, **{"handled once": True})


def _count(app: RunningApp, handler: str) -> int:
    try:
        return app.count(handler)
    except Exception:  # noqa: BLE001 # the server is being restarted
        return 0


def _handled(app: RunningApp, handler: str) -> Sequence[tuple[str, int]]:
    query = select(effects.c.k, effects.c.n).where(effects.c.handler == handler).order_by(effects.c.seq)
    with app.engine.connect() as db:
        return [(row.k, row.n) for row in db.execute(query)]
