"""Calling a handler of single events for many."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..core.deadline import Deadline
from ..database.session import HandlerSession
from ..handlers.registry import Handler


def call_for_each(handler: Handler, given: Sequence[Any], db: HandlerSession, deadline: Deadline) -> int:
    """Call it for as many as there is time for; returns for how many. What it writes for some of them is sent
    together, and belongs to their time."""

    def call(some: Iterable[Any]) -> None:
        handler.call(some, db)
        db.joined.send()

    with db.joined.deferring():
        return deadline.hand_out(given, call)
