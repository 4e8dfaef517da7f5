"""`/mail`: the mail queue, and what can be done with what its filter finds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from starlette.exceptions import HTTPException

from ...core.numerals import number_of
from ...database.mail_filter import MailFilter
from ...database.mails import STATES
from ...reports.mails import content_of, mail_status, newest_mails
from ..common.access import Action
from ..common.asked import Asked, Board
from ..common.page import Answer, Page
from ..questions.mails import DONE, MOST, MOVES, mails_chosen, mails_listed, moves_of, number_in

SHOWN = 100_000
"""Bytes of a mail that are shown at most."""


def _question(asked: Asked) -> Answer:
    board = asked.board
    with board.reading() as db:
        chosen = mails_chosen(asked.query, board.clock(db))
        found = mails_listed(db, chosen.wanted, number_in(asked.query, "below"))
    return {
        "found": found,
        "status": board.recent.answer("mail", lambda: _status(board)),
        "every": board.settings.mail_every,
        "limit": board.settings.mail_limit,
        "fields": chosen.fields,
        "states": STATES,
        "moves": _allowed(asked, MOVES),
        "most": MOST,
        "said": _said(asked),
    }


def _status(board: Board) -> object:
    with board.reading() as db:
        return mail_status(db, board.clock(db), board.settings.mail_limit, board.settings.mail_every)


def _said(asked: Asked) -> str | None:
    """What a form has done, of which the address has numbers only."""
    done = DONE.get(asked.query.get("move", ""))
    count, busy = number_in(asked.query, "done"), number_in(asked.query, "busy")
    if done is None or count is None:
        return None
    left = f"; {busy} are being sent or changed by somebody else, and were left" if busy else ""
    return f"{count} mail{'' if count == 1 else 's'} {done}{left}"


def _one(asked: Asked) -> Answer:
    number = number_of(asked.path["number"])
    with asked.board.reading() as db:
        rows = [] if number is None else newest_mails(db, MailFilter(numbers=(number,)), 1)
        if not rows:
            raise HTTPException(404, f"there is no mail {asked.path['number'][:50]}")
        content = content_of(db, rows[0].id) or b"" if asked.query.get("content") else None
    text = None if content is None else _readable(content)
    return {
        "mail": rows[0],
        "content": text,
        "is_cut": content is not None and len(content) > SHOWN,
        "moves": _allowed(asked, moves_of(rows[0])),
    }


def _allowed(asked: Asked, moves: Iterable[str]) -> list[str]:
    return [name for name in moves if asked.may(cast("Action", name))]


def _readable(content: bytes) -> str:
    return content[:SHOWN].decode("utf-8", "backslashreplace").replace("\r\n", "\n")


PAGE = Page("/mail", "Mail queue", "mails.html", _question, "Mail")
MAIL = Page("/mail/{number}", "Mail", "mail.html", _one)
