"""The rooms stand in an order, and every import goes down."""

from __future__ import annotations

import ast
import re

import pytest

from house.imports import HOME, imported, sources
from house.order import ORDERS, ROOTS
from house.rooms import Rooms, circles, graph

ARCHITECTURE = (HOME / "ARCHITECTURE.md").read_text()


@pytest.fixture(scope="module", params=ORDERS)
def rooms(request: pytest.FixtureRequest) -> Rooms:
    return Rooms(request.param, ORDERS[request.param])


@pytest.mark.parametrize("root", ROOTS)
def test_roots_import_one_way(root: str) -> None:
    above = {f"oyez.{later}" for later in ROOTS[ROOTS.index(root) + 1 :]}
    wrong = [
        f"{source.relative_to(HOME)} imports {name}"
        for source in sources(root)
        for name in imported(source)
        if ".".join(name.split(".")[:2]) in above
    ]
    assert wrong == []


def test_the_order_names_the_rooms_that_there_are(rooms: Rooms) -> None:
    assert rooms.unknown == []


def test_no_import_runs_back_up(rooms: Rooms) -> None:
    assert [f"{one.importer} imports {one.imported}" for one in rooms.climbs] == []


def test_no_rooms_import_one_another(rooms: Rooms) -> None:
    assert circles(rooms.graph) == []


@pytest.mark.parametrize("root", ROOTS)
def test_no_files_import_one_another(root: str) -> None:
    assert circles(graph(Rooms(root).imports)) == []


def test_each_room_says_in_one_sentence_what_it_is(rooms: Rooms) -> None:
    """What more there is to say comes after an empty line."""
    for name in rooms.names:
        first, *_ = (ast.get_docstring(ast.parse(rooms.modules[name].read_text())) or "").split("\n\n")
        assert re.fullmatch(r"[^.!?]([^.!?]|[.!?](?!\s))*\.", first), f"{name}: {first!r}"


def test_the_picture_shows_the_rooms(rooms: Rooms) -> None:
    """Each folder and each room of consumers is named in ARCHITECTURE.md; how it is drawn does not matter."""
    named = set(re.findall(r"\w+", ARCHITECTURE))
    folders = {name for name in rooms.names if rooms.modules[name].name == "__init__.py"}
    shown = folders if rooms.root == "producers" else rooms.names
    assert [name for name in shown if not {*name.split(".")} - {""} <= named] == []


def test_the_picture_shows_no_other_rooms() -> None:
    drawn = set(re.findall(r"(?<![\w/.])(\w+)/(?![\w*])", "".join(ARCHITECTURE.split("```")[1::2])))
    folders = {source.parent.name for root in ROOTS for source in sources(root)}
    assert drawn
    assert drawn - folders == set()
