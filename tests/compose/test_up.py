"""What comes up works: from the host, through the published ports, and by a command in a container."""

from __future__ import annotations

from compose.project import Project, inspected
from compose.traffic import Traffic


def test_all_that_stays_is_healthy(up: Project) -> None:
    stays = [one for name in ("kafka", "postgres", "listen", "sweep") for one in up.containers(name)]
    assert len(stays) == 6
    assert {inspected(one, ".State.Health.Status") for one in stays} == {"healthy"}
    assert {inspected(one, ".RestartCount") for one in stays} == {"0"}


def test_events_announced_from_the_host_are_handled(traffic: Traffic) -> None:
    traffic.announce(200)
    traffic.settle()


def test_status_in_a_container_of_its_own(up: Project, traffic: Traffic) -> None:
    traffic.announce(1)
    traffic.settle()
    said = up.compose("run", "--rm", "listen", "status")
    assert "visits.page.viewed" in said
    assert "exactly-once" in said
    assert up.password not in said
