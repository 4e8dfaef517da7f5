"""Several announcing servers, several workers, real services: every effect once, in order."""

from __future__ import annotations

from integration.deployment import Deployment
from integration.findings import CLEAN
from support.waiting import eventually


def test_every_effect_once_in_the_order_of_each_source_and_key(deployment: Deployment) -> None:
    before = deployment.announce(servers=2, sessions=15, views=6)
    assert [server.wait() for server in before] == [0, 0]
    listening = deployment.listen(2)
    servers = deployment.announce(servers=3, sessions=30, views=6)
    assert [server.wait() for server in servers] == [0, 0, 0]

    viewed = {(a.source, a.event_id) for a in deployment.announced() if a.signal == "Viewed"}

    def audited() -> set[tuple[str, ...]]:
        """By a group of its own, which nobody else waits for."""
        return {tuple(line.split()) for line in deployment.audit.read_text().splitlines()}

    assert deployment.settle() == CLEAN, deployment.logs()
    eventually(lambda: deployment.audit.exists() and audited() >= viewed, 60)
    assert listening.stop() == 0, listening.output()
    assert audited() == viewed
