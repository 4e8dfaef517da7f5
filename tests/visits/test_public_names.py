"""The example is an application: it uses of Oyez what is public, and nothing else."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

import visits

PUBLIC = ("oyez.schemas", "oyez.producers", "oyez.producers.collector", "oyez.consumers")
SOURCES = sorted(Path(visits.__file__).parent.rglob("*.py"))


def imports_of_oyez(source: Path) -> Iterator[tuple[str, str]]:
    """Each module of Oyez that a file imports from, wherever in the file, with the name that it imports."""
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "*") for alias in node.names if alias.name.split(".")[0] == "oyez")
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "oyez":
            yield from ((node.module or "", alias.name) for alias in node.names)


def test_there_is_something_to_look_at() -> None:
    assert any(list(imports_of_oyez(source)) for source in SOURCES)


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_only_public_names_are_imported(source: Path) -> None:
    private = [
        f"{module}: {name}"
        for module, name in imports_of_oyez(source)
        if module not in PUBLIC or name not in importlib.import_module(module).__all__
    ]
    assert private == []
