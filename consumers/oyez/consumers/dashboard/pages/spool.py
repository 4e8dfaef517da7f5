"""`/spool`: what is kept in local files of this machine."""

from __future__ import annotations

from ..common.asked import Asked
from ..common.page import Answer, Page
from ..questions.spool import spool_of


def _question(asked: Asked) -> Answer:
    return asked.board.recent.answer("spool", lambda: vars(spool_of(asked.board.settings)))


PAGE = Page("/spool", "Spool", "spool.html", _question, "Spool")
