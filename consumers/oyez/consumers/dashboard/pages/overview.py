"""`/`: how far each group is, what waits, what was given up."""

from __future__ import annotations

from ..common.asked import Asked
from ..common.page import Answer, Page
from ..questions.hours import summary
from ..questions.overview import overview


def _question(asked: Asked) -> Answer:
    board = asked.board
    found = board.recent.answer(
        "overview", lambda: vars(overview(board.application, board.settings, board.database, board.longest))
    )
    return {**found, "plots": summary(board)}


PAGE = Page("/", "Overview", "overview.html", _question, "Overview")
