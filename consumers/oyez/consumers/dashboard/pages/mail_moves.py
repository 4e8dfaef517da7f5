"""What is done to mails: a form says to how many, and it is done when that is confirmed."""

from __future__ import annotations

import math
from dataclasses import replace
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

MICROSECONDS = 1_000_000
TIMEOUT = 2.0
"""Seconds for which it is tried to get what a sender or somebody else has in hand."""


def _post(move: MailMove, asked: Asked) -> Answer:
    board = asked.board
    made, upto, counted = (number_in(asked.form, name) for name in ("made", "upto", "counted"))
    with board.reading() as db:
        now = board.clock(db)
        # Ages count from when the form was made, and what was queued or has changed since is left: what it has said is
        # what is done.
        now = now if made is None else min(now, made / MICROSECONDS)
        chosen = for_move(move, mails_chosen(asked.form, now))
        if made is not None:
            chosen = replace(chosen, wanted=replace(chosen.wanted, unchanged_since=now))
        ids = mail_filter.chosen(db, chosen.wanted, MOST + 1)
    if asked.form.get("confirmed") != "yes" or None in (made, upto, counted):
        return {
            "move": move.name,
            "count": min(len(ids), MOST),
            "is_more": len(ids) > MOST,
            "chosen": chosen,
            "effect": SAID[move.name],
            "hidden": {
                **chosen.fields,
                "made": math.ceil(now * MICROSECONDS),
                "upto": ids[-1] if ids else 0,
                "counted": min(len(ids), MOST),
            },
        }
    operation = MailOperation(move, board.clock)
    wanted = [number for number in ids[:MOST] if number <= (upto or 0)][: counted or 0]
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
