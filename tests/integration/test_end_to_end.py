"""Several announcing servers, several workers, real services: every effect once, in order."""

from __future__ import annotations

from integration.findings import CLEAN
from integration.site import Site
from support.waiting import eventually


def test_every_effect_once_in_the_order_of_each_source_and_key(site: Site) -> None:
    before = site.announce(servers=2, sessions=15, views=6)
    assert [server.wait() for server in before] == [0, 0]
    listening = site.listen(2)
    servers = site.announce(servers=3, sessions=30, views=6)
    assert [server.wait() for server in servers] == [0, 0, 0]

    viewed = {(a.source, a.event_id) for a in site.announced() if a.signal == "Viewed"}

    def audited() -> set[tuple[str, ...]]:
        """By a group of its own, which nobody else waits for."""
        return {tuple(line.split()) for line in site.audit.read_text().splitlines()}

    assert site.settle() == CLEAN, site.logs()
    eventually(lambda: site.audit.exists() and audited() >= viewed, 60)
    assert listening.stop() == 0, listening.output()
    assert audited() == viewed
