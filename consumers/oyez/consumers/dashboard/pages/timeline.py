"""`/timeline?key=…`: all that is known of a key, as `oyez timeline` says it, in the order of time."""

from __future__ import annotations

from ...cli.common.errors import UsageProblem
from ...database.journal import missing_from
from ...reports import Window, timeline_of
from ...reports.moments import STAYS
from ..common.asked import Asked
from ..common.page import Answer, Page
from ..questions.filters import age_given

MOST = 500
"""Moments that are shown, the newest of those that were chosen."""


def _question(asked: Asked) -> Answer:
    query, board = asked.query, asked.board
    key, newer, older = (query.get(name) or "" for name in ("key", "newer", "older"))
    if "\0" in key:
        raise UsageProblem("key: nothing has a NUL in it")
    said = {"key": key, "newer": newer, "older": older, "most": MOST, "stays": STAYS}
    if not key:
        return {**said, "moments": (), "is_cut": False, "without": None}
    with board.reading() as db:
        now = board.clock(db)
        since = now - age_given("newer", newer) if newer else None
        before = now - age_given("older", older) if older else None
        found = timeline_of(db, board.application, key, Window(since, before, MOST))
    without = missing_from(board.settings.journal, board.settings.journal_share, key)
    return {**said, "moments": found.moments, "is_cut": found.is_cut, "without": without}


PAGE = Page("/timeline", "Timeline", "timeline.html", _question, "Timeline")
