"""What is done to mails: a form says to how many, and it is done when that is confirmed."""

from __future__ import annotations

from functools import partial
from typing import cast

from starlette.responses import RedirectResponse

from ...admin import Steps
from ...admin.mail import MailMove, MailOperation
from ...database import mail_filter
from ..common.access import Action
from ..common.asked import Asked
from ..common.page import Answer, Form
from ..questions.mails import MOST, MOVES, SAID, for_move, mails_chosen, number_in

TIMEOUT = 2.0
"""Seconds for which it is tried to get what a sender or somebody else has in hand."""


def _post(move: MailMove, asked: Asked) -> Answer:
    board = asked.board
    made, upto = number_in(asked.form, "made"), number_in(asked.form, "upto")
    with board.reading() as db:
        now = board.clock(db)
        # Ages count from when the form was made, and what was queued since is left: what it has said is what is done.
        chosen = for_move(move, mails_chosen(asked.form, now if made is None else min(now, made)))
        ids = mail_filter.chosen(db, chosen.wanted, MOST + 1)
    if asked.form.get("confirmed") != "yes" or upto is None:
        return {
            "move": move.name,
            "count": min(len(ids), MOST),
            "is_more": len(ids) > MOST,
            "chosen": chosen,
            "effect": SAID[move.name],
            "hidden": {**chosen.fields, "made": int(now), "upto": ids[-1] if ids else 0},
        }
    operation = MailOperation(move, board.clock)
    wanted = [number for number in ids[:MOST] if number <= upto]
    tally = Steps(board.database, timeout=TIMEOUT).apply(operation, wanted, chosen.wanted)
    board.recent.forget("mail")
    said = {"move": move.name, "done": tally.done, "busy": tally.busy}
    return RedirectResponse(asked.link("/mail", **chosen.fields, **said), 303)


FORMS = tuple(
    Form(
        f"/mail/{name}",
        f"{name.capitalize()} mails",
        cast("Action", name),
        partial(_post, move),
        "mail_move.html",
    )
    for name, move in MOVES.items()
)
