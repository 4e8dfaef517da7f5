"""`/event?id=…`: what became of an event, as `oyez explain` says it, and the event itself."""

from __future__ import annotations

from ...cli.common.errors import NotFound, UsageProblem
from ..common.asked import Asked
from ..common.page import Answer, Page
from ..questions.events import MOST, events_of


def _question(asked: Asked) -> Answer:
    event_id, source = asked.query.get("id", ""), asked.query.get("source") or None
    if not event_id:
        return {"event_id": "", "events": (), "most": MOST}
    if "\0" in f"{event_id}{source}":
        raise UsageProblem("id: nothing has a NUL in it")
    board = asked.board
    with board.reading() as db:
        found = events_of(db, board.application, event_id, source, board.clock(db))
    if not found:
        raise NotFound(
            f"no group of {board.application.name} has taken {event_id}, or it was forgotten; "
            f"it was not announced, or is not read yet, or none of them handles its signal"
        )
    return {"event_id": event_id, "events": found, "most": MOST}


PAGE = Page("/event", "Event", "event.html", _question, "Event")
