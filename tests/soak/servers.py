"""Web servers and task workers that announce into the spool while they are killed, reloaded and restarted."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from integration.rows.running_app import RunningApp
from integration.rows.scripted_app import effects
from oyez.consumers.dev.ports import answers, free_port
from soak.figures import Figures, judged, overtaken
from soak.serving.visitors import Visitors
from soak.serving.work import SESSION, Work
from support.processes import Program, is_alive
from support.spooled import spooled
from support.waiting import eventually

Tell = Callable[[str], None]
Handled = Sequence[tuple[str, int]]


@dataclass(frozen=True)
class Server:
    """A web server, and how its application is named."""

    module: str
    options: Sequence[str]

    def start(self, app: RunningApp, port: int, name: str) -> Program:
        """Begin it, and wait until it answers."""
        options = [option.replace("PORT", str(port)) for option in self.options]
        program = Program(app.folder / f"{name}.log", self.module, *options, env=app.env)
        eventually(lambda: answers(port), timeout=60.0)
        return program


GUNICORN = ["-w", "2", "-b", "127.0.0.1:PORT", "--backlog", "64"]
SERVERS: Mapping[str, Server] = {
    "flask": Server("gunicorn", [*GUNICORN, "--max-requests", "400", "soak.serving.flask_app:app"]),
    "django": Server("gunicorn", [*GUNICORN, "--preload", "soak.serving.django_app:app"]),
    "fastapi": Server("uvicorn", ["--workers", "2", "--port", "PORT", "soak.serving.fastapi_app:app"]),
}


def servers(app: RunningApp, *, requests: int, troubles: int, seed: int, tell: Tell = print) -> Figures:
    """What each web server has answered is handled, once and in its visitor's order; what each task has announced too.
    Of what was not answered, no more is handled than was asked for. Tasks run side by side: they have no order."""
    chance = random.Random(seed)
    listening = app.listen("rows.placed", workers=2)
    began = time.monotonic()
    answered: list[tuple[str, int]] = []
    unanswered = 0
    for name, server in SERVERS.items():
        visitors = _visited(app, name, server, requests, troubles, chance)
        answered += visitors.answered
        unanswered += visitors.unanswered
        tell(f"servers: {name}, {visitors.unanswered} unanswered, {time.monotonic() - began:.0f} s")
    work = Work(app)
    work.run(requests, troubles, chance)
    tell(f"servers: celery, {work.killed} killed, {time.monotonic() - began:.0f} s")
    answered += work.noted()
    unanswered += work.killed
    app.until(lambda: len(handled(app)) >= len(spooled(app.folder / "spool")), 300)
    found = handled(app)
    counts = Counter(found)
    values = {
        "seed": seed,
        "requests": requests * (len(SERVERS) + 1),
        "troubles": troubles * (len(SERVERS) + 1),
        "answered": len(answered),
        "unanswered": unanswered,
        "handled": len(found),
        "lost": len(set(answered) - counts.keys()),
        "doubled": sum(count > 1 for count in counts.values()),
        "too many": max(0, len(counts.keys() - set(answered)) - unanswered),
        "out of order": overtaken(one for one in found if one[0] != SESSION),
        "left": app.left(),
        "seconds": round(time.monotonic() - began, 1),
        "exit": listening.stop(),
    }
    wrong = {"lost": 0, "doubled": 0, "too many": 0, "out of order": 0, "left": 0, "exit": 0}
    return judged("servers", values, **wrong)


def handled(app: RunningApp) -> Handled:
    """(key, number) of each event that was handled, in this order."""
    query = select(effects.c.k, effects.c.n).where(effects.c.handler == "place").order_by(effects.c.seq)
    with app.engine.connect() as db:
        return [(row.k, row.n) for row in db.execute(query)]


def _visited(
    app: RunningApp, name: str, server: Server, requests: int, troubles: int, chance: random.Random
) -> Visitors:
    port = free_port()
    program = server.start(app, port, f"{name}-0")
    visitors = Visitors(port, name, requests)
    try:
        visitors.start()
        for turn in range(troubles):
            visitors.until((turn + 1) * requests // (troubles + 1))
            if turn % 3 == 2:
                program.stop()
                program = server.start(app, port, f"{name}-{turn}")
            elif turn % 3 == 1:
                program.send(signal.SIGHUP)
            else:
                kill_one(program, chance)
        visitors.finish()
        program.stop()
    finally:
        program.end()
    return visitors


def kill_one(program: Program, chance: random.Random) -> None:
    """SIGKILL to one of its processes."""
    alive = [child for child in program.children() if is_alive(child)]
    workers = [child for child in alive if "resource_tracker" not in "".join(child.cmdline())]
    if workers:
        chance.choice(workers).send_signal(signal.SIGKILL)
