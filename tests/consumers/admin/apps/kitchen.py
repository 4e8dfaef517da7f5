"""A kitchen: orders are cooked in lanes."""

from __future__ import annotations

from sqlalchemy.orm import Session

from oyez.consumers import Handlers
from oyez.schemas import Signal

on = Handlers("kitchen")


class Cooked(Signal, name="kitchen.cooked", key="table"):
    table: str
    n: int = 0


@on(Cooked, concurrency=2)
def cook(event: Cooked, db: Session) -> None:
    """Nobody cooks in these tests."""
