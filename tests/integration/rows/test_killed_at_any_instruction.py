"""Workers and whole servers killed at any instruction: nothing lost, doubled, overtaken or given up."""

from __future__ import annotations

import random
import signal

from psutil import NoSuchProcess

from integration.deployment import Deployment
from integration.findings import CLEAN
from support.processes import Program, is_alive
from support.waiting import eventually

KILLS = 10
SERVERS, SESSIONS, VIEWS = 3, 30, 10
EFFECTS = 2 * SESSIONS + 2 * SERVERS * SESSIONS * VIEWS


def _kill_server(deployment: Deployment, listening: list[Program], rng: random.Random) -> None:
    victim = listening.pop(rng.randrange(len(listening)))
    workers = victim.children()
    victim.send(signal.SIGKILL)
    victim.wait()
    eventually(lambda: not any(map(is_alive, workers)))
    listening.append(deployment.listen(1, batch=10))


def _kill_worker(listening: list[Program], rng: random.Random) -> None:
    """Kill one that lives: between the look and the kill one may have ended, and its successor not have begun."""

    def is_killed() -> bool:
        workers = [worker for program in listening for worker in program.children() if is_alive(worker)]
        try:
            rng.choice(workers).kill()
        except (IndexError, NoSuchProcess):
            return False
        return True

    eventually(is_killed)


def test_effects_exactly_once_whoever_is_killed(deployment: Deployment) -> None:
    rng = random.Random(20)
    listening = [deployment.listen(1, batch=10), deployment.listen(1, batch=10)]
    servers = deployment.announce(SERVERS, SESSIONS, VIEWS)
    for number, mark in enumerate(sorted(rng.sample(range(EFFECTS * 9 // 10), KILLS))):
        eventually(lambda mark=mark: deployment.handled() >= mark, 60)
        if number % 5 == 3:
            _kill_server(deployment, listening, rng)
        else:
            _kill_worker(listening, rng)
    assert [server.wait() for server in servers] == [0] * SERVERS
    assert deployment.settle(120) == CLEAN, deployment.logs()
    eventually(lambda: all("worker started" in program.output() for program in listening))
    assert [program.stop() for program in listening] == [0, 0]
