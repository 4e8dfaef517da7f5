"""What the dashboard has, in the order of its navigation: a line for each page."""

from __future__ import annotations

from collections.abc import Sequence

from .common.page import Place
from .pages import hours, live, overview

PLACES: Sequence[Place] = (
    overview.PAGE,
    hours.PAGE,
    live.PAGE,
)
