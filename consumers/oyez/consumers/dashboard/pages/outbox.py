"""`/outbox`: what was announced in database transactions and has not left, and what was refused."""

from __future__ import annotations

from functools import partial

from starlette.responses import RedirectResponse

from ...database import outbox
from ...reports.outbox_rows import outbox_state, refused_rows, waiting_rows
from ..common.asked import Asked, Board
from ..common.page import Answer, Form, Page
from ..questions.mails import number_in

MOST = 50
"""Events that are listed of each kind."""


def _question(asked: Asked) -> Answer:
    board = asked.board
    return {**board.recent.answer("outbox", lambda: _found(board)), "most": MOST}


def _found(board: Board) -> dict[str, object]:
    with board.reading() as db:
        state = outbox_state(db, board.clock(db))
        return {"state": state, "waiting": waiting_rows(db, MOST), "refused": refused_rows(db, MOST)}


def _retry(asked: Asked) -> Answer:
    """What is confirmed is what was counted: not what was refused since."""
    upto, counted = number_in(asked.form, "upto"), number_in(asked.form, "counted")
    if asked.form.get("confirmed") != "yes" or upto is None or counted is None:
        with asked.board.reading() as db:
            return {"state": outbox_state(db, asked.board.clock(db)), "upto": outbox.refused_upto(db)}
    asked.board.database.repeat(partial(outbox.try_again, upto=upto, most=counted))
    asked.board.recent.forget("outbox")
    return RedirectResponse(asked.link("/outbox"), 303)


PAGE = Page("/outbox", "Outbox", "outbox.html", _question, "Outbox")
RETRY = Form("/outbox/retry", "Try refused events again", "retry", _retry, "outbox_retry.html")
