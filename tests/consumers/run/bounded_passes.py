"""What bounded passes are tried with."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection

from consumers.pipeline import Placed, note
from oyez.consumers import Handlers
from oyez.consumers.run.listened import Listened

Listen = Callable[..., Listened]
"""What the fixture `listen` is: one pass over a pipeline, with this limit."""


def shop(broken: set[int] | None = None) -> Handlers:
    """`place` fails for the numbers that are broken."""
    on = Handlers("shop")

    @on(Placed)
    def place(event: Placed, db: Connection) -> None:
        if event.n in (broken or set()):
            raise ValueError("as told")
        note(db, "place", event.n)

    return on
