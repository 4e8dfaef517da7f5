"""What the dashboard has, in the order of its navigation: a line for each page."""

from __future__ import annotations

from collections.abc import Sequence

from .common.page import Place
from .pages import acting, errors, event, hours, lists, live, operations, overview, pauses

PLACES: Sequence[Place] = (
    overview.PAGE,
    hours.PAGE,
    lists.PARKED,
    errors.PARKED,
    lists.DEAD,
    errors.DEAD,
    event.PAGE,
    pauses.LIST,
    pauses.CONFIRM,
    pauses.PAUSE,
    pauses.RESUME,
    *acting.PLACES,
    operations.LIST,
    operations.ONE,
    operations.STOP,
    live.PAGE,
)
