"""`oyez status --watch`: how everything stands, again and again, and how the last hour went."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from rich.console import Console
from sqlalchemy import Engine

from oyez.schemas import OyezError

from ...core.counted import measured
from ...core.stop_signals import Stop
from ...database import Database
from ...database.clock import DatabaseClock
from ...handlers.application import Application
from ...logs.lookup import find_log_backend
from ...reports import GroupState
from ...reports.samples import Series, series_of
from ...run.status import Status, status_of
from ...run.status_unasked import status_or_why_not
from ...settings import ListenSettings
from ..common import output
from ..common.reporting import is_away, line_of, log_away
from ..common.sparkline import BARS, PLAIN, sparkline

HOURS = 1.0
POINTS = 20  # of a sparkline
NOTHING = Series("", None, 1, ())  # type: ignore[arg-type] # it has no points, and so no beginning


class Seen(NamedTuple):
    """What one look has found, with the series of each group. ``away`` says why the log has not answered."""

    status: Status
    series: Mapping[str, Series]
    away: str | None = None


class Watched(NamedTuple):
    """A group, and how it went."""

    state: GroupState
    series: Series

    @property
    def rate(self) -> float | None:
        """Deliveries done in a second, of the last minutes that are known."""
        known = [value for value in self.series.values("rate") if value is not None]
        return known[-1] if known else None

    @property
    def rate_text(self) -> str | None:
        if self.rate is None:
            return None
        return f"{self.rate:,.0f}" if self.rate >= 100 else f"{self.rate:.3g}"

    def bars(self, measure: str) -> str:
        """One of its measures over the last hour."""
        return sparkline(self.series.values(measure), BARS if output.is_unicode() else PLAIN)


COLUMNS = (
    output.Column("group", lambda row: row.state.group, whole=True),
    output.Column("lag", lambda row: measured(row.state.lag, row.state.lag_unit)),
    output.Column("parked", lambda row: row.state.parked.total),
    output.Column("oldest wait", lambda row: row.state.oldest_wait),
    output.Column("dead", lambda row: row.state.dead),
    output.Column(
        "done/s",
        lambda row: (
            None if row.rate is None else f"{row.rate:,.0f}" if row.rate >= 100 else f"{row.rate:.3g}"
        ),
    ),
    output.Column("done, last hour", lambda row: row.bars("rate"), whole=True),
    output.Column("parked, last hour", lambda row: row.bars("parked"), whole=True),
    output.Column("lag, last hour", lambda row: row.bars("lag"), whole=True),
)


@dataclass(frozen=True)
class Look:
    """Looks at an application. ``asks``: whether the log is asked too."""

    application: Application
    settings: ListenSettings
    engine: Engine
    asks: bool

    def __call__(self) -> Seen:
        """What is there now. Raises whatever is in the way."""
        status, why = self._status()
        with Database(self.engine).reading() as db:
            found = series_of(db, DatabaseClock()(db), HOURS, POINTS)
        return Seen(status, {one.group: one for one in found}, log_away(why))

    def _status(self) -> tuple[Status, Exception | None]:
        backend = find_log_backend(self.settings)
        if self.asks:
            return status_or_why_not(self.application, self.settings, self.engine, backend)
        return status_of(self.application, self.settings, self.engine, backend, None), None


def watch(
    look: Callable[[], Seen],
    show: Callable[[Status], None],
    stop: Stop,
    every: float,
    clock: Callable[[], float] = time.time,
) -> None:
    """Show it until it is stopped, with the time of the look. What does not answer is said, and asked again; what was
    seen before stays, with its time."""
    console = Console()
    with console.screen():
        seen: Seen | None = None
        at = clock()
        while not stop():
            problem = None
            try:
                seen = look()
                at = clock()
            except Exception as error:
                if not (isinstance(error, OyezError) or is_away(error)):
                    raise
                problem = line_of(error)
            console.clear()
            if problem is not None:
                output.line(f"{problem}; it is asked again")
            if seen is not None:
                output.line(f"seen at {datetime.fromtimestamp(at).astimezone():%H:%M:%S}")
                if seen.away is not None:
                    output.line(seen.away)
                output.table(rows_of(seen), COLUMNS, empty="there are no groups")
                show(seen.status)
            stop.wait(every)


def rows_of(seen: Seen) -> Sequence[Watched]:
    """Each group with its series."""
    return [Watched(state, seen.series.get(state.group, NOTHING)) for state in seen.status.groups]
