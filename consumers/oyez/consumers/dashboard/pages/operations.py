"""`/operations`: what was done by the dashboard, by whom, and how far it is; and how it is stopped."""

from __future__ import annotations

import json
from typing import Any

from starlette.responses import RedirectResponse

from ...cli.common.errors import NotFound
from ...core.numerals import number_of
from ...database import operations
from ...reports.times import utc
from ..common.asked import Asked
from ..common.page import Answer, Form, Page

SHOWN = 100
SILENT = 60.0
"""Seconds after which an operation of which nothing was heard has been cut off."""


def _list(asked: Asked) -> Answer:
    board = asked.board
    with board.reading() as db:
        now = board.clock(db)
        rows = operations.latest(db, board.application.name, SHOWN)
    return {"operations": [_shown(row, now) for row in rows]}


def _one(asked: Asked) -> Answer:
    board, number = asked.board, _number(asked)
    with board.reading() as db:
        row, now = operations.read(db, board.application.name, number), board.clock(db)
    if row is None:
        raise NotFound(f"there is no operation {number}; they are kept for 30 days")
    return {"operation": _shown(row, now)}


def _stop(asked: Asked) -> Answer:
    number = _number(asked)
    asked.board.operating.stop(number)
    return RedirectResponse(asked.link(f"/operations/{number}"), 303)


def _number(asked: Asked) -> int:
    """Which one is meant. Raises `NotFound`."""
    number = number_of(asked.path["number"])
    if number is None:
        raise NotFound("operations have numbers")
    return number


def _shown(row: Any, now: float) -> dict[str, Any]:
    return {
        **row._asdict(),
        "began": utc(row.began_at),
        "heard": utc(row.heard_at),
        "state": _state(row, now),
        "told": {name: count for name, count in json.loads(row.counts or "{}").items() if count},
    }


def _state(row: Any, now: float) -> str:
    if row.ended_at is not None:
        return (
            "failed" if row.error else "stopped" if json.loads(row.counts or "{}").get("stopped") else "done"
        )
    if now - row.heard_at > SILENT:
        return "cut off"
    return "stopping" if row.stop_at is not None else "under way"


LIST = Page("/operations", "Operations", "operations.html", _list, "Operations")
ONE = Page("/operations/{number}", "Operation", "operation.html", _one)
STOP = Form("/operations/{number}/stop", "Stop an operation", None, _stop)
