"""What is drawn: shapes stay in their frames, gaps are gaps, and layers have an order."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from oyez.consumers.dashboard.drawing.graph import BOX, LETTERS, TALL, graph
from oyez.consumers.dashboard.drawing.layers import Link, layered
from oyez.consumers.dashboard.drawing.plot import HEIGHT, ROWS, WIDTH, Plot, ceiling, plot

BEGIN = datetime(2026, 1, 1, 23, 30, tzinfo=UTC)
values = st.lists(st.none() | st.floats(0, 1e15), max_size=200)
names = st.lists(st.sampled_from("abcdefgh"), unique=True, min_size=1)
links = st.lists(st.builds(Link, st.sampled_from("abcdefgh"), st.sampled_from("abcdefgh")))


def drawn(numbers: list[float | None]) -> Plot:
    return plot("x", numbers, BEGIN, timedelta(minutes=1), lambda value: f"{value:g}")


@given(values)
def test_a_plot_stays_in_its_frame_and_has_each_known_value(numbers: list[float | None]) -> None:
    found = drawn(numbers)
    places = [
        (float(x), float(y)) for path in found.lines for x, y in re.findall(r"([-\d.e]+) ([-\d.e]+)", path)
    ]
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in places)
    known = sum(value is not None for value in numbers)
    alone = sum("L" in path and path.count("L") == 1 and _is_dash(path) for path in found.lines)
    assert len(places) == known + alone
    gaps = "".join("x" if value is not None else " " for value in numbers).split()
    assert len(found.lines) == len(found.areas) == len(gaps)
    assert len(found.rows) <= ROWS
    assert ("Nothing is known" in found.said) == (known == 0)


def _is_dash(path: str) -> bool:
    (x, y), (to_x, to_y) = re.findall(r"([-\d.e]+) ([-\d.e]+)", path)
    return y == to_y and math.isclose(float(to_x) - float(x), 2.0)


def test_what_a_plot_says() -> None:
    found = drawn([None, 3.0, None, 8.0, 5.0])
    assert found.said == "From 3 to 8, at last 5."
    assert [(f"{row.since:%H:%M}", row.value) for row in found.rows][:2] == [
        ("23:30", "not known"),
        ("23:31", "3"),
    ]
    assert [label.text for label in found.labels] == ["10", "0", "23:30", "23:35 UTC"]


@given(st.floats(1e-9, 1e15))
def test_a_ceiling_is_near_and_above(value: float) -> None:
    assert value <= ceiling(value) <= 2.5 * value * (1 + 1e-9)


@given(names, links)
def test_edges_lead_on_but_for_those_that_close_circles(nodes: list[str], given_links: list[Link]) -> None:
    known = [one for one in given_links if one.source in nodes and one.target in nodes]
    found = layered(nodes, known)
    layer = {spot.name: at for at, spots in enumerate(found.layers) for spot in spots if spot.passing is None}
    assert set(layer) == set(nodes)
    assert {*found.routes, *found.backward} == {one for one in known if one.source != one.target}
    for link, route in found.routes.items():
        assert layer[link.source] < layer[link.target]
        assert len(route) == layer[link.target] - layer[link.source] + 1
    assert sum(map(len, found.layers)) == len(nodes) + sum(len(route) - 2 for route in found.routes.values())


@given(names, links)
def test_boxes_do_not_overlap_and_stay_within(nodes: list[str], given_links: list[Link]) -> None:
    found = graph(nodes, [one for one in given_links if one.source in nodes and one.target in nodes])
    for box in found.boxes:
        assert 0 <= box.x <= found.width - BOX
        assert 0 <= box.y <= found.height - TALL
    pairs = [(one, other) for one in found.boxes for other in found.boxes if one is not other]
    assert all(abs(one.x - other.x) >= BOX or abs(one.y - other.y) >= TALL for one, other in pairs)


def test_a_chain_without_a_circle_has_no_edge_back() -> None:
    found = graph(["c", "b", "a"], [Link("a", "b"), Link("b", "c"), Link("a", "c"), Link("c", "c")])
    assert [box.name for box in sorted(found.boxes, key=lambda box: box.x)] == ["a", "b", "c"]
    assert [line.backward for line in found.lines] == [False] * 3
    assert [box.name for box in found.boxes if box.own] == ["c"]


def test_long_names_are_shortened() -> None:
    (box,) = graph(["n" * 250], []).boxes
    assert len(box.text) == LETTERS
    assert box.name == "n" * 250
