"""`/parked/errors` and `/dead/errors`: deliveries by their error, over windows that end now."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from sqlalchemy import Table

from ...database.tables import dead, parked
from ...reports import error_groups
from ..common.asked import Asked
from ..common.page import Answer, Page
from ..questions.filters import chosen_by

WINDOWS: Mapping[str, float] = {"1h": 3_600.0, "3h": 10_800.0, "24h": 86_400.0, "7d": 604_800.0}
SHOWN = 200
"""Groups that are shown, the largest first."""


def _question(table: Table, asked: Asked) -> Answer:
    board = asked.board
    with board.reading() as db:
        now = board.clock(db)
        chosen = chosen_by(asked.query, table, board.application.name, now)
        found = error_groups(db, table, chosen.wanted, list(WINDOWS.values()), now)
    return {
        "name": "parked" if table is parked else "dead",
        "windows": list(WINDOWS),
        "groups": found.groups[:SHOWN],
        "left_out": max(0, len(found.groups) - SHOWN),
        "is_cut": found.is_cut,
        "fields": chosen.fields,
    }


PARKED = Page("/parked/errors", "Parked by error", "errors.html", partial(_question, parked))
DEAD = Page("/dead/errors", "Dead by error", "errors.html", partial(_question, dead))
