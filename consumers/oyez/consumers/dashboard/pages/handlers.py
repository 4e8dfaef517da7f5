"""`/handlers`: the handlers by signal, in the order in which they run."""

from __future__ import annotations

from ...reports.catalogue import handler_row
from ..common.asked import Asked
from ..common.page import Answer, Page


def _question(asked: Asked) -> Answer:
    application = asked.board.application
    order = {one.name: at for at, one in enumerate(application.signals)}
    rows = [handler_row(one) for one in application.handlers]
    return {"rows": sorted(rows, key=lambda row: order.get(row.signal or "", len(order)))}


PAGE = Page("/handlers", "Handlers", "handlers.html", _question, "Handlers")
