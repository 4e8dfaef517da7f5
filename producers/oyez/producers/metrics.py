"""What this process has announced, for Prometheus: `REGISTRY.register(announced(announcer))`.

It asks the announcers when it is scraped: announcing itself counts nothing more for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

from .extras import extra

if TYPE_CHECKING:
    from prometheus_client.core import CounterMetricFamily
    from prometheus_client.registry import Collector


class Counts(Protocol):
    """An `Announcer` or an `AsyncAnnouncer`: its events of this process."""

    @property
    def source(self) -> str: ...
    @property
    def announced(self) -> int: ...
    @property
    def undelivered(self) -> int: ...


def announced(*announcers: Counts) -> Collector:
    """A collector of `oyez_announced_events_total` and `oyez_undelivered_events_total`, by source.

    SettingsError: prometheus-client (`oyez[metrics]`) is not installed.
    """
    with extra("metrics", "prometheus_client", who="announced()", needs="prometheus-client"):
        from prometheus_client.registry import Collector  # noqa: PLC0415 # an extra

    class Announced(Collector):
        def collect(self) -> Iterator[CounterMetricFamily]:
            return _families(announcers)

    return Announced()


def _families(announcers: tuple[Counts, ...]) -> Iterator[CounterMetricFamily]:
    from prometheus_client.core import CounterMetricFamily  # noqa: PLC0415 # an extra

    taken: dict[str, int] = {}
    failed: dict[str, int] = {}
    for announcer in announcers:
        taken[announcer.source] = taken.get(announcer.source, 0) + announcer.announced
        failed[announcer.source] = failed.get(announcer.source, 0) + announcer.undelivered
    said = "Events that this process has handed to the transport."
    lost = "Events of this process that were announced and did not arrive."
    for name, text, counts in (("announced", said, taken), ("undelivered", lost, failed)):
        family = CounterMetricFamily(f"oyez_{name}_events", text, labels=["source"])
        for source, count in counts.items():
            family.add_metric([source], count)
        yield family
