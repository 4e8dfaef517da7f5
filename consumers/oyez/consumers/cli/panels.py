"""The panels in which `oyez --help` lists the commands, in the order of the work they are for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

PANELS: Mapping[str, Sequence[str]] = {
    "Begin": ("init", "dev", "db", "config", "doctor"),
    "Run": ("announce", "listen", "collect", "sweep", "healthy"),
    "Look": ("status", "dashboard", "tail", "timeline", "explain"),
    "Act on what waits or has failed": ("retry", "dead", "met", "pause", "resume", "rewind", "replay"),
    "Events and mails on their way": ("outbox", "scheduled", "spool", "mail"),
    "Data": ("export", "forget", "group"),
    "Develop": ("signals", "handlers"),
}
"""Each command, and each group of commands, stands in one of them."""


def panel_of(name: str) -> str | None:
    """The panel in which a command stands."""
    return next((panel for panel, names in PANELS.items() if name in names), None)


def in_order(names: Sequence[str]) -> list[str]:
    """These commands, as the panels have them."""
    order = [name for panel in PANELS.values() for name in panel]
    return sorted(names, key=lambda name: order.index(name) if name in order else len(order))
