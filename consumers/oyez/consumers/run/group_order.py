"""In which order the groups of an application are taken, where one process takes them all."""

from __future__ import annotations

from ..handlers.application import Application, Group


def in_order(application: Application) -> list[Group]:
    """The groups, each after those that complete what it requires, as far as that is possible."""
    found: dict[str, Group] = {}
    for group in application.groups.values():
        _visit(group, application, found, set())
    return list(found.values())


def _visit(group: Group, application: Application, found: dict[str, Group], above: set[str]) -> None:
    if group.name in above:
        return
    for required in sorted({signal for handler in group.handlers for signal in handler.requires}):
        for needed in application.of_signal(required):
            _visit(needed, application, found, above | {group.name})
    found.setdefault(group.name, group)
