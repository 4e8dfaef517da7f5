"""`/doctor`: what is wrong, what that is due to, and what to do."""

from __future__ import annotations

from ..common.asked import Asked
from ..common.page import Answer, Page
from ..questions.doctor import examined


def _question(asked: Asked) -> Answer:
    return vars(examined(asked.board))


PAGE = Page("/doctor", "Doctor", "doctor.html", _question, "Doctor")
