"""Asking an endpoint for metrics."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from support.processes import Program
from support.waiting import eventually

DOCUMENT = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text()


def documented(mark: str) -> set[tuple[str, str, frozenset[str]]]:
    """The measures of the document's table after a mark: name, type, labels."""
    table = DOCUMENT.split(f"<!-- {mark} -->\n|")[1].split("\n\n")[0]
    rows = re.findall(r"^\| `(oyez_\w+)` \| (\w+) \|([^|]*)\|", table, re.MULTILINE)
    return {(name, kind, frozenset(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}


class Answer(NamedTuple):
    """An answer, whatever its status."""

    status: int
    kind: str
    text: str


class Endpoint:
    """The endpoint of a program that has said where it is."""

    def __init__(self, program: Program) -> None:
        said = eventually(lambda: re.search(r"metrics: (http://\S+)/metrics", program.output()))
        self.url = said[1]

    def get(self, path: str, accept: str = "") -> Answer:
        asked = urllib.request.Request(f"{self.url}{path}", headers={"Accept": accept} if accept else {})
        try:
            with urllib.request.urlopen(asked, timeout=10) as found:
                return Answer(found.status, found.headers["Content-Type"], found.read().decode())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.headers["Content-Type"], error.read().decode())

    def ready(self) -> int:
        return self.get("/readyz").status

    def families(self) -> dict[str, Metric]:
        return {one.name: one for one in text_string_to_metric_families(self.get("/metrics").text)}

    def values(self, name: str, group: str) -> dict[Mapping[str, str] | tuple[str, ...], float]:
        """A measure of a group, by its further labels' values, in the order of their names."""
        found = {}
        for family in self.families().values():
            for sample in family.samples:
                labels = dict(sample.labels)
                if sample.name == name and labels.pop("group", None) == group:
                    found[tuple(value for _, value in sorted(labels.items()))] = sample.value
        return found

    def value(self, name: str, group: str) -> float | None:
        """A measure of a group that has no further labels."""
        return self.values(name, group).get(())
