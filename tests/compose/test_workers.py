"""Workers that are killed, frozen, stopped, many and few, while events come: each event once, and in its order."""

from __future__ import annotations

import pytest

from compose.project import Project, docker, inspected
from compose.traffic import Traffic
from support.waiting import eventually


@pytest.fixture(autouse=True)
def three(up: Project) -> None:
    """Three workers before each test."""
    up.up("--no-recreate", "--scale", "listen=3")


def test_one_is_killed(up: Project, traffic: Traffic) -> None:
    victim = up.containers("listen")[0]
    before = int(inspected(victim, ".RestartCount"))
    with traffic.load():
        # From inside, by its own user: an engine does not start again what it was told to kill.
        docker("exec", victim, "sh", "-c", "kill -KILL -1; true")
        eventually(lambda: int(inspected(victim, ".RestartCount")) > before)
    traffic.settle()
    becomes_healthy(victim)


def test_one_is_frozen(up: Project, traffic: Traffic) -> None:
    victim = up.containers("listen")[0]
    with traffic.load():
        docker("pause", victim)
        try:
            traffic.goes_on()
        finally:
            docker("unpause", victim)
    traffic.settle()
    becomes_healthy(victim)


def test_one_becomes_four_and_one_again(up: Project, traffic: Traffic) -> None:
    with traffic.load():
        for many in (1, 4, 1):
            up.up("--no-recreate", "--scale", f"listen={many}")
            assert len(up.containers("listen")) == many
    traffic.settle()


def test_sigterm_ends_each_within_its_grace(up: Project, traffic: Traffic) -> None:
    with traffic.load():
        up.compose("stop", "listen", "sweep")
        stopped = [one for name in ("listen", "sweep") for one in up.containers(name)]
        assert len(stopped) >= 4
        # 137: the engine had to kill it.
        assert {inspected(one, ".State.ExitCode") for one in stopped} == {"0"}
    up.up("--no-recreate", "--scale", "listen=3")
    traffic.settle()


def becomes_healthy(container: str) -> None:
    eventually(lambda: inspected(container, ".State.Health.Status") == "healthy", 150)
