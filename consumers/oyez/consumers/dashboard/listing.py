"""What the dashboard has, in the order of its navigation: a line for each page."""

from __future__ import annotations

from collections.abc import Sequence

from .common.page import Place
from .pages import errors, event, hours, lists, live, overview

PLACES: Sequence[Place] = (
    overview.PAGE,
    hours.PAGE,
    lists.PARKED,
    errors.PARKED,
    lists.DEAD,
    errors.DEAD,
    event.PAGE,
    live.PAGE,
)
