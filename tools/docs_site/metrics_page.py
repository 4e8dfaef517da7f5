"""The page of metrics, made of those that are counted."""

from __future__ import annotations

from typing import NamedTuple

from prometheus_client.metrics import MetricWrapperBase

from docs_site.table import table
from oyez.consumers.metrics.prometheus import Metrics

HEAD = """# Metrics, as they are declared

Every metric of `oyez listen`. This page is made when the site is built. [Logging and metrics](../metrics.md)
says more of each, what an application counts that announces, and what to watch.

A histogram `NAME` is exported as `NAME_bucket` (with the label `le`), `NAME_sum` and `NAME_count`.

"""


class Declared(NamedTuple):
    """A metric. ``name`` is the one that is scraped, with `_total` if it is a counter."""

    name: str
    type: str
    labels: tuple[str, ...]
    text: str


def declared() -> list[Declared]:
    """All metrics of a worker, by name."""
    kept = [value for value in vars(Metrics()).values() if isinstance(value, MetricWrapperBase)]
    kept += list(Metrics()._times.values())  # noqa: SLF001 # by kind of event, counters like the others
    return sorted(_declared(metric) for metric in kept)


def metrics_page() -> str:
    """The page."""
    rows = [
        (f"`{one.name}`", one.type, ", ".join(f"`{label}`" for label in one.labels), one.text)
        for one in declared()
    ]
    return HEAD + table(("metric", "type", "labels", "meaning"), rows)


def series() -> dict[str, frozenset[str]]:
    """By name, the labels of everything that a scrape of a worker has."""
    found: dict[str, frozenset[str]] = {}
    for one in declared():
        labels = frozenset(one.labels)
        if one.type == "histogram":
            found |= {f"{one.name}_bucket": labels | {"le"}, f"{one.name}_sum": labels}
            found |= {f"{one.name}_count": labels}
        else:
            found[one.name] = labels
    return found


def _declared(metric: MetricWrapperBase) -> Declared:
    (family,) = metric.describe()
    ending = "_total" if family.type == "counter" else ""
    return Declared(f"{family.name}{ending}", family.type, metric._labelnames, family.documentation)  # noqa: SLF001
