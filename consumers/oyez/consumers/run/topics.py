"""The topics that groups read."""

from __future__ import annotations

from ..handlers.application import Application, Group
from ..settings import ListenSettings


def topics_of(group: Group, settings: ListenSettings) -> list[str]:
    """The topics that a group reads: its signals' own, or the one for all."""
    return sorted({declaration.topic or settings.topic for declaration in group.declarations})


def readers_of(application: Application, settings: ListenSettings) -> dict[str, set[str]]:
    """The names of the groups that read a topic, by topic."""
    readers: dict[str, set[str]] = {}
    for group in application.groups.values():
        for topic in topics_of(group, settings):
            readers.setdefault(topic, set()).add(group.name)
    return readers
