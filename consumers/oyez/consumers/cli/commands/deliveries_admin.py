"""`oyez retry release|discard` and `oyez dead retry|discard`."""

from __future__ import annotations

from typing import Annotated

import typer

from ...core.rate_limit import Pace
from ...database.delivery_filter import Filter
from ...database.tables import dead, parked
from ...run.delivery_actions import DISCARD_DEAD, DISCARD_PARKED, FORCE, RELEASE, RETRY, Action
from ...settings import ListenSettings
from ..common.bulk import BULK, BulkOptions
from ..common.bundles import Command, taking
from ..common.options import settings_by
from ..common.rates import RATE
from .deliveries_bulk import act
from .deliveries_filter import filter_by


def _command(action: Action, text: str) -> Command:
    """A command that does this to what its filter finds."""

    @taking(filter_by(action.table), BULK, settings_by("app", "database"))
    def command(
        *,
        wanted: Filter,
        options: BulkOptions,
        settings: ListenSettings,
    ) -> None:
        act(action, wanted, options, settings)

    command.__doc__ = text
    return command


@taking(filter_by(parked), BULK, RATE, settings_by("app", "database"))
def retry_release(
    *,
    wanted: Filter,
    options: BulkOptions,
    force: Annotated[
        bool, typer.Option("--force", help="Run them here and now, as if all that they require were met.")
    ] = False,
    pace: Pace,
    settings: ListenSettings,
) -> None:
    """Make parked deliveries due now. The next worker or sweep checks again what they require."""
    act(FORCE if force else RELEASE, wanted, options, settings, pace)


retry_discard = _command(
    DISCARD_PARKED,
    "Delete parked deliveries: they will never be handled. What waited for their events alone is released.",
)


@taking(filter_by(dead), BULK, RATE, settings_by("app", "database"))
def dead_retry(
    *,
    wanted: Filter,
    options: BulkOptions,
    pace: Pace,
    settings: ListenSettings,
) -> None:
    """Put dead letters back into the retry table, where they were. Records are decoded again."""
    act(RETRY, wanted, options, settings, pace)


dead_discard = _command(
    DISCARD_DEAD,
    "Delete dead letters: they will never be handled. What waited for their events alone is released.",
)
