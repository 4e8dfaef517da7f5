"""How the groups went over the last hours, as plots."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from ...cli.common.output import span
from ...core.counted import Unit, measured
from ...logs.lookup import find_log_backend
from ...reports.samples import Series, series_of
from ..common.asked import Board
from ..drawing.plot import Plot, plot

CHOICES = (1, 3, 6, 24)
"""Hours that can be chosen."""
USUAL = 3
GROUPS = 12
"""Groups whose plots are shown at once; more can be chosen one by one."""


class Measure(NamedTuple):
    """One plot: what it is called, how a value is written, and how several groups' values are one."""

    title: str
    write: Callable[[float], str]
    together: Callable[[Iterable[float]], float] = sum


def _count(value: float) -> str:
    return f"{value:,.0f}" if value >= 1 or value == 0 else f"{value:.1g}"


def _rate(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _bytes(value: float) -> str:
    return str(measured(round(value), "bytes"))


LAGS: Mapping[Unit, Measure] = {
    "records": Measure("Records left to read", _count),
    "bytes": Measure("Bytes left to read", _bytes),
}
"""Of what the offsets of the log count."""
MEASURES: Mapping[str, Measure] = {
    "rate": Measure("Deliveries done in a second", _rate),
    "failed": Measure("Failed attempts in a minute", _count),
    "lag": LAGS["records"],
    "parked": Measure("Parked", _count),
    "oldest_wait": Measure("Oldest wait", span, max),
    "dead": Measure("Dead letters", _count),
}


@dataclass(frozen=True)
class Hours:
    """``sections`` are plots by the name of their group. ``groups`` are all that can be chosen, ``left`` how many of
    them are not shown for want of room."""

    hours: int
    group: str | None
    groups: Sequence[str]
    sections: Mapping[str, Sequence[Plot]]
    left: int
    choices: Sequence[int] = CHOICES


def hours_of(board: Board, hours: int, group: str | None) -> Hours:
    """The last hours of one group, or of the first ones. Raises `DatabaseAway`."""
    names = list(board.application.groups)
    wanted = [name for name in names if group in (None, name)]
    chosen = wanted[:GROUPS]
    known = {one.group: one for one in _series(board, hours)}
    sections = {name: _plots(board, [known[name]], MEASURES) for name in chosen if name in known}
    return Hours(hours, group, names, sections, len(wanted) - len(chosen))


def summary(board: Board) -> Sequence[Plot]:
    """The last hours of all groups together; nothing where no worker has written anything yet."""
    ours = [one for one in _series(board, USUAL) if one.group in board.application.groups]
    return _plots(board, ours, ("rate", "lag", "parked", "dead")) if ours else []


def _series(board: Board, hours: int) -> Sequence[Series]:
    def ask() -> Sequence[Series]:
        with board.reading() as db:
            return series_of(db, board.clock(db), hours)

    return board.recent.answer(f"samples of {hours} h", ask)


def _plots(board: Board, found: Sequence[Series], wanted: Iterable[str]) -> list[Plot]:
    backend = find_log_backend(board.settings)
    measures = MEASURES if backend is None else {**MEASURES, "lag": LAGS[backend.unit]}
    begin, step = found[0].since, timedelta(minutes=found[0].step)
    return [
        plot(one.title, _together(found, name, one), begin, step, one.write)
        for name, one in measures.items()
        if name in wanted
    ]


def _together(found: Sequence[Series], name: str, measure: Measure) -> list[float | None]:
    columns = zip(*(one.values(name) for one in found), strict=True)
    known = ([value for value in column if value is not None] for column in columns)
    return [measure.together(values) if values else None for values in known]
