"""The signals of an application, and which must be handled before which, as a graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from oyez.schemas.declaration import Declaration

from ...handlers.application import Application
from ...reports.catalogue import SignalRow, signal_row
from ..drawing.graph import Graph, graph
from ..drawing.layers import Link

DRAWN = 120
"""Signals that are drawn at most: nobody could read more."""


@dataclass(frozen=True)
class Signals:
    """``drawn`` are the signals that others wait for, or that wait; None if there are none. ``undrawn`` is how many
    these are where they are too many."""

    rows: Sequence[SignalRow]
    drawn: Graph | None
    undrawn: int


def signals_of(application: Application) -> Signals:
    """All of them, in the order of the catalogue."""
    rows = [signal_row(one, application.handlers) for one in application.signals]
    links = required(application)
    names = [row.name for row in rows if any(row.name in link for link in links)]
    is_drawn = 0 < len(names) <= DRAWN
    return Signals(rows, graph(names, links) if is_drawn else None, 0 if is_drawn else len(names))


def required(application: Application) -> list[Link]:
    """From each signal that a handler requires to the signal which that handler is for."""
    found = [Link(name, one.declaration.name) for one in application.handlers for name in one.requires]
    return list(dict.fromkeys(found))


def signal_named(application: Application, name: str) -> Declaration | None:
    """A signal by its name."""
    return next((one for one in application.signals if one.name == name), None)
