"""`/parked` and `/dead`: lists of deliveries, by the filters of the commands."""

from __future__ import annotations

from functools import partial

from sqlalchemy import Table

from ...database.delivery_filter import STATES
from ...database.tables import dead, parked
from ..common.asked import Asked
from ..common.page import Answer, Page
from ..questions.filters import chosen_by
from ..questions.lists import MOST, listed


def _question(table: Table, asked: Asked) -> Answer:
    board = asked.board
    with board.reading() as db:
        chosen = chosen_by(asked.query, table, board.application.name, board.clock(db))
        found = listed(db, table, chosen.wanted, asked.query)
    names = {
        "groups": sorted(board.application.groups),
        "handlers": sorted(handler.name for handler in board.application.handlers),
        "signals": sorted({handler.declaration.name for handler in board.application.handlers}),
        "states": STATES if table is parked else (),
    }
    return {"found": found, "fields": chosen.fields, "names": names, "most": MOST}


PARKED = Page("/parked", "Parked", "parked.html", partial(_question, parked), "Parked")
DEAD = Page("/dead", "Dead", "dead.html", partial(_question, dead), "Dead")
