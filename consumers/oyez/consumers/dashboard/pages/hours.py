"""`/hours`: how the groups went over the last hours."""

from __future__ import annotations

from starlette.exceptions import HTTPException

from ..common.asked import Asked
from ..common.page import Answer, Page
from ..questions.hours import CHOICES, USUAL, hours_of


def _question(asked: Asked) -> Answer:
    group = asked.query.get("group") or None
    if group is not None and group not in asked.board.application.groups:
        raise HTTPException(404, f"{asked.board.application.name} has no group {group[:200]}")
    said = asked.query.get("hours") or str(USUAL)
    if said not in map(str, CHOICES):
        raise HTTPException(400, f"hours is one of {', '.join(map(str, CHOICES))}")
    return vars(hours_of(asked.board, int(said), group))


PAGE = Page("/hours", "Last hours", "hours.html", _question, "Hours")
