"""Kafka and PostgreSQL restarted, and all taken down and brought up again: nothing is lost, doubled or overtaken."""

from __future__ import annotations

import pytest

from compose.project import Project
from compose.traffic import Traffic


@pytest.mark.parametrize("service", ["kafka", "postgres"])
def test_a_service_is_restarted(up: Project, traffic: Traffic, service: str) -> None:
    with traffic.load():
        up.compose("restart", service)
        traffic.goes_on()
    traffic.settle()


def test_down_and_up_with_the_volumes_kept(up: Project, traffic: Traffic) -> None:
    traffic.announce(100)
    traffic.settle()
    up.compose("stop", "listen", "sweep")
    traffic.announce(100)  # handled by those who come after
    up.compose("down")
    up.up("--scale", "listen=3")
    traffic.announce(100)
    traffic.settle()
