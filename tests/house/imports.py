"""Who imports whom within a package, read from the sources: wherever in a file an import stands."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

HOME = Path(__file__).parents[2]


class Import(NamedTuple):
    """One module imports another; both are named from the package on, its ``__init__`` is ``""``."""

    importer: str
    imported: str


def sources(root: str, home: Path = HOME) -> list[Path]:
    """The files of a source root."""
    found = sorted((home / root / "oyez").rglob("*.py"))
    assert found, f"no sources in {root}"
    return found


def modules(root: str, home: Path = HOME) -> dict[str, Path]:
    """The modules of a root's package, each with its file."""
    top = home / root / "oyez" / root
    return {_name(source.relative_to(top)): source for source in sources(root, home)}


@cache
def imported(source: Path, home: Path = HOME) -> tuple[str, ...]:
    """The full names of what a file imports: modules, and what it takes from them."""
    return tuple(_imported(source, home))


def _imported(source: Path, home: Path) -> Iterator[str]:
    package = source.relative_to(home).parts[1:-1]
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join((*above, *filter(None, [node.module])))
            for alias in node.names:
                yield f"{module}.{alias.name}"


def imports(root: str, home: Path = HOME) -> list[Import]:
    """The imports of the package's modules by one another."""
    known = modules(root, home)
    package = f"oyez.{root}"
    found = set()
    for importer, source in known.items():
        for name in imported(source, home):
            if name == package or name.startswith(f"{package}."):
                target = _module(name.removeprefix(package).removeprefix("."), known)
                found.add(Import(importer, target))
    return sorted(one for one in found if one.importer != one.imported)


def _module(name: str, known: dict[str, Path]) -> str:
    """The module of this name, or that something of this name is taken from."""
    return name if name in known else name.rpartition(".")[0]


def _name(file: Path) -> str:
    parts = file.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
