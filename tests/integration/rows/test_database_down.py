"""The database down: a lost connection, and a failed ping."""

from __future__ import annotations

from pathlib import Path

from integration.findings import CLEAN
from integration.site import Site
from oyez.consumers.dev import Postgres
from support.services import UNSAFE, fresh_database
from support.waiting import eventually


def test_a_database_that_is_restarted_under_load(kafka: str, topic: str, tmp_path: Path) -> None:
    with Postgres(settings=UNSAFE) as server, fresh_database(server.url()) as url:
        site = Site(url, kafka, topic, tmp_path)
        listening = site.listen(1, batch=10)
        servers = site.announce(servers=3, sessions=20, views=10)
        eventually(lambda: site.handled() >= 100, 60)
        server.restart()
        site.engine.dispose()
        eventually(lambda: site.handled() >= 500, 60)
        server.kill()
        server.restart()
        site.engine.dispose()
        assert [one.wait() for one in servers] == [0, 0, 0]
        assert site.settle() == CLEAN, site.logs()
        assert "ended with" not in listening.output()
        assert listening.stop() == 0
        site.close()
