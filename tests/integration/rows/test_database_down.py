"""The database down: a lost connection, and a failed ping."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from integration.deployment import Deployment
from integration.findings import CLEAN
from oyez.consumers.dev import Postgres
from support.services import UNSAFE, fresh_database
from support.waiting import eventually


def test_a_database_that_is_restarted_under_load(kafka: str, topic: str, tmp_path: Path) -> None:
    with (
        Postgres(settings=UNSAFE) as server,
        fresh_database(server.url()) as url,
        closing(Deployment(url, kafka, topic, tmp_path)) as deployment,
    ):
        listening = deployment.listen(1, batch=10)
        servers = deployment.announce(servers=3, sessions=20, views=10)
        eventually(lambda: deployment.handled() >= 100, 60)
        server.restart()
        deployment.engine.dispose()
        eventually(lambda: deployment.handled() >= 500, 60)
        server.kill()
        server.restart()
        deployment.engine.dispose()
        assert [one.wait() for one in servers] == [0, 0, 0]
        assert deployment.settle() == CLEAN, deployment.logs()
        assert "ended with" not in listening.output()
        assert listening.stop() == 0
