"""The dashboard for Grafana asks for metrics and labels that there are."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from docs_site.metrics_page import series

BOARD = json.loads((Path(__file__).parent.parent / "docs/grafana/oyez.json").read_text())
PANELS = [panel for panel in BOARD["panels"] if panel["type"] != "row"]
QUERIES = [(panel["title"], target) for panel in PANELS for target in panel["targets"]]
NAME = re.compile(r"\boyez_\w+")
MATCHERS = re.compile(r"\b(oyez_\w+)\{([^}]*)\}")
LABEL = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")
GROUPING = re.compile(r"\b(?:by|without)\s*\(([^)]*)\)")


def labels_asked(expression: str) -> Iterator[str]:
    """The labels that an expression groups by."""
    for names in GROUPING.findall(expression):
        yield from (name.strip() for name in names.split(","))


@pytest.mark.parametrize(
    ("title", "target"), QUERIES, ids=lambda value: value if isinstance(value, str) else ""
)
def test_each_query_asks_for_what_is_exported(title: str, target: dict[str, Any]) -> None:
    known = series()
    expression, legend = target["expr"], target["legendFormat"]
    names = NAME.findall(expression)
    assert names, title
    assert set(names) <= known.keys()
    for name, matchers in MATCHERS.findall(expression):
        assert set(LABEL.findall(matchers)) <= known[name]
    labels = frozenset.intersection(*(known[name] for name in names))
    assert set(labels_asked(expression)) <= labels
    assert set(re.findall(r"\{\{(\w+)\}\}", legend)) <= set(labels_asked(expression))
    assert expression.count("(") == expression.count(")")


def test_every_metric_of_a_worker_is_on_it() -> None:
    asked = {name for _, target in QUERIES for name in NAME.findall(target["expr"])}
    plain = {re.sub(r"_(bucket|sum|count)$", "", name) for name in asked}
    assert {re.sub(r"_(bucket|sum|count)$", "", name) for name in series()} == plain


def test_alerts_ask_for_what_is_exported() -> None:
    page = (Path(__file__).parent.parent / "docs/metrics.md").read_text()
    (rules,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    asked = [rule["expr"] for group in yaml.safe_load(rules)["groups"] for rule in group["rules"]]
    names = {name for expression in asked for name in NAME.findall(expression)}
    assert {"oyez_outbox_oldest_seconds", "oyez_scheduled_overdue_seconds"} <= names <= series().keys()


def test_whoever_imports_it_chooses_the_data_source() -> None:
    source, group = BOARD["templating"]["list"]
    assert (source["name"], source["type"], source["query"]) == ("datasource", "datasource", "prometheus")
    assert re.fullmatch(r"label_values\((\w+), (\w+)\)", group["definition"])
    used = [panel["datasource"] for panel in PANELS] + [target["datasource"] for _, target in QUERIES]
    assert {*(one["uid"] for one in used), group["datasource"]["uid"]} == {"${datasource}"}
    assert BOARD["uid"] == "oyez-groups"
    assert "id" not in BOARD


def test_panels_have_numbers_and_places_of_their_own() -> None:
    numbers = [panel["id"] for panel in BOARD["panels"]]
    assert len(numbers) == len(set(numbers))
    cells: set[tuple[int, int]] = set()
    for panel in BOARD["panels"]:
        at = panel["gridPos"]
        mine = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert max(x for x, _ in mine) < 24
        assert not mine & cells
        cells |= mine
