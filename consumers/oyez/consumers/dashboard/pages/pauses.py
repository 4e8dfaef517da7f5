"""`/pauses`: what is paused, and pausing and resuming, as by `oyez pause` and `oyez resume`."""

from __future__ import annotations

from starlette.responses import RedirectResponse

from ...admin import NothingOfThatName, Pausing
from ...cli.common.errors import UsageProblem
from ...database import delivery_filter
from ...database.delivery_filter import Filter
from ...database.pauses import Scope
from ...database.tables import parked
from ...reports import pauses_of
from ..common.asked import Asked
from ..common.page import Answer, Form, Page
from ..questions.lists import MOST


def _question(asked: Asked) -> Answer:
    board = asked.board
    with board.reading() as db:
        held = pauses_of(db, board.application.name)
    names = [*sorted(board.application.groups), *sorted(one.name for one in board.application.handlers)]
    return {
        "held": held,
        "names": names,
        "name": asked.query.get("name", ""),
        "key": asked.query.get("key", ""),
    }


def _confirm(asked: Asked) -> Answer:
    """What would be paused, and how much waits there already."""
    name, key = _named(asked.query.get("name", ""), asked.query.get("key", ""))
    reason = asked.query.get("reason", "")
    scope, board = _scope(asked, name, key), asked.board
    wanted = Filter(
        app=board.application.name,
        group_name=scope.group or None,
        handler=scope.handler or None,
        key=scope.key or None,
    )
    with board.reading() as db:
        count = delivery_filter.count(db, parked, wanted, MOST)
    return {
        "scope": str(scope),
        "name": name or "",
        "key": key or "",
        "reason": reason,
        "count": f"{MOST} or more" if count == MOST else count,
    }


def _pause(asked: Asked) -> Answer:
    name, key = _named(asked.form.get("name", ""), asked.form.get("key", ""))
    scope = _scope(asked, name, key)
    _pausing(asked).pause(scope, asked.access.who, asked.form.get("reason") or None)
    return RedirectResponse(asked.link("/pauses"), 303)


def _resume(asked: Asked) -> Answer:
    name, key = _named(asked.form.get("name", ""), asked.form.get("key", ""))
    pausing = _pausing(asked)
    try:
        pausing.resume(pausing.paused(name, key))
    except NothingOfThatName as error:
        raise UsageProblem(str(error)) from None
    return RedirectResponse(asked.link("/pauses"), 303)


def _named(name: str, key: str) -> tuple[str | None, str | None]:
    if not name and not key:
        raise UsageProblem("say what is meant: a group, a handler or a key")
    if "\0" in name + key:
        raise UsageProblem("no group, handler or key has a NUL in it")
    return name or None, key or None


def _scope(asked: Asked, name: str | None, key: str | None) -> Scope:
    try:
        return _pausing(asked).scope(name, key)
    except NothingOfThatName as error:
        raise UsageProblem(str(error)) from None


def _pausing(asked: Asked) -> Pausing:
    board = asked.board
    return Pausing(board.application, board.database, board.clock, board.settings.max_age)


LIST = Page("/pauses", "Paused", "pauses.html", _question, "Paused")
CONFIRM = Page("/pauses/pause", "Pause", "confirm_pause.html", _confirm, is_live=False)
PAUSE = Form("/pauses/pause", "Pause", "pause", _pause)
RESUME = Form("/pauses/resume", "Resume", "resume", _resume)
