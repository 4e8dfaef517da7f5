"""Handlers that do something with their transaction, and what must be left of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from consumers.pipeline import Pipeline, Placed, note
from oyez.consumers import Handlers

BAD = 12
EVENTS = range(24)


class Base(DeclarativeBase):
    pass


class Effect(Base):
    __tablename__ = "effect"
    seq: Mapped[int] = mapped_column(primary_key=True)
    handler: Mapped[str]
    n: Mapped[int]


def with_session(act: Callable[[Session, int], Any]) -> Handlers:
    """A handler that acts between two effects, beside one that does nothing wrong."""
    on = Handlers("shop")

    @on(Placed)
    def acting(event: Placed, db: Session) -> None:
        note(db, "acting", event.n)
        act(db, event.n)
        note(db, "after", event.n)

    @on(Placed)
    def steady(event: Placed, db: Connection) -> None:
        note(db, "steady", event.n)

    return on


def with_connection(act: Callable[[Connection, int], Any]) -> Handlers:
    on = Handlers("shop")

    @on(Placed)
    def acting(event: Placed, db: Connection) -> None:
        note(db, "acting", event.n)
        act(db, event.n)
        note(db, "after", event.n)

    @on(Placed)
    def steady(event: Placed, db: Session) -> None:
        note(db, "steady", event.n)

    return on


def check_parked(pipeline: Pipeline, said: Mapping[int, tuple[str, ...]]) -> None:
    """Of all deliveries, the acting handler's of these events are parked, and nothing of them is left."""
    assert sorted(pipeline.effects("steady")) == list(EVENTS)
    for handler in ("acting", "after"):
        assert sorted(pipeline.effects(handler)) == [n for n in EVENTS if n not in said]
    parked = {(handler, n): error for handler, n, error in pipeline.parked()}
    assert list(parked) == [("acting", n) for n in sorted(said)]
    for (_, n), error in parked.items():
        for part in said[n]:
            assert part in error, (n, error)
    assert len(pipeline.rows("inbox")) == len(EVENTS)
    assert pipeline.rows("position", "position") == [len(EVENTS)]
    assert pipeline.dead() == []


def check_one_parked(pipeline: Pipeline, *said: str) -> None:
    check_parked(pipeline, {BAD: said})


def check_all_done(pipeline: Pipeline) -> None:
    check_parked(pipeline, {})
