"""Kafka down, for those who listen."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from integration.deployment import Deployment
from integration.findings import CLEAN
from oyez.consumers.dev import Kafka
from support.services import make_topic, unique
from support.waiting import eventually


def test_a_broker_that_is_restarted_under_load(postgres: str, tmp_path: Path) -> None:
    with (
        Kafka() as broker,
        closing(
            Deployment(postgres, broker.bootstrap, make_topic(broker.bootstrap, unique("test")), tmp_path)
        ) as deployment,
    ):
        listening = deployment.listen(1, batch=10)
        first = deployment.announce(servers=2, sessions=20, views=10)
        assert [one.wait() for one in first] == [0, 0]
        eventually(lambda: deployment.handled() >= 100, 60)
        broker.kill()
        broker.restart()
        second = deployment.announce(servers=2, sessions=20, views=5)
        assert [one.wait() for one in second] == [0, 0]
        assert deployment.settle() == CLEAN, deployment.logs()
        assert "ended with" not in listening.output()
        assert listening.output().count(f"Kafka at {broker.bootstrap} is away") == 4
        assert len(listening.output().splitlines()) < 30, "a few lines, not one for each attempt"
        assert listening.stop() == 0, listening.output()
