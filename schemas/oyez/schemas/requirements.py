"""What `requires` may say, seen over all signals."""

from collections.abc import Iterable, Mapping

from .declaration import Declaration
from .errors import SchemaError


def check_requirements(declared: Mapping[str, Declaration]) -> None:
    """SchemaError for a requirement that is unknown, has no subject, or is part of a cycle."""
    for declaration in declared.values():
        for name in declaration.requires:
            _check_required(declaration, name, declared)
    graph = {name: one.requires for name, one in declared.items()}
    if cycle := find_cycle(graph):
        raise SchemaError(
            f"{cycle[0]}: requires forms a cycle, {' -> '.join(cycle)}: none of them could ever be handled; "
            "take one of these requirements away"
        )


def _check_required(declaration: Declaration, name: str, declared: Mapping[str, Declaration]) -> None:
    owner = declaration.model.__qualname__
    if name not in declared:
        raise SchemaError(
            f"{owner}: requires names {name!r}, no known signal; correct it or import its module"
        )
    if declared[name].subject is None:
        raise SchemaError(without_subject(owner, name))


def without_subject(owner: str, required: str) -> str:
    """The message for a required signal that nobody can wait for."""
    return f'{owner}: requires names {required!r}, which has no subject; give that signal subject="…"'


def find_cycle(graph: Mapping[str, Iterable[str]]) -> list[str]:
    """A path a, b, …, a over several signals, following `graph` from each to what it requires; [] if none.

    A signal that requires itself (with another subject) is no cycle.
    """
    finished: set[str] = set()
    for start in graph:
        if cycle := _cycle_from(start, graph, finished):
            return cycle
    return []


def _cycle_from(start: str, graph: Mapping[str, Iterable[str]], finished: set[str]) -> list[str]:
    path: list[str] = []
    todo = [(start, iter(graph.get(start, ())))]
    path.append(start)
    while todo:
        name, following = todo[-1]
        step = next((one for one in following if one != name and one not in finished), None)
        if step in path:
            return [*path[path.index(step) :], step]
        if step is None:
            finished.add(name)
            todo.pop()
            path.pop()
        else:
            todo.append((step, iter(graph.get(step, ()))))
            path.append(step)
    return []
