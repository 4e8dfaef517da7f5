"""Sessions whose events require each other, and handlers of each form for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection
from sqlalchemy.orm import Session

from consumers.pipeline import Known, Opened, Pipeline, Viewed, effects, note
from oyez.consumers import Handlers


class Closed(Known, name="closed", key="k", subject="s", requires={"viewed.last": "s"}):
    k: str = "k1"
    s: str = "s1"
    n: int = 0


class Last(Known, name="viewed.last", key="k", subject="s", requires={Opened: "s"}):
    k: str = "k1"
    s: str = "s1"
    n: int = 0


seen: list[tuple[str, int]] = []
"""What handlers without a database parameter did."""


def each(name: str, fails: Callable[[int], bool]) -> Callable[..., None]:
    def handle(event: Any, db: Session) -> None:
        note(db, name, event.n)
        if fails(event.n):
            raise ValueError(f"{name} {event.n}")

    return handle


def batch(name: str, fails: Callable[[int], bool]) -> Callable[..., None]:
    def handle(events: list[Any], db: Connection) -> None:
        note(db, name, *(event.n for event in events))
        for event in events:
            if fails(event.n):
                raise ValueError(f"{name} {event.n}")

    return handle


def outside(name: str, fails: Callable[[int], bool]) -> Callable[..., None]:
    def handle(event: Any) -> None:
        if fails(event.n):
            raise ValueError(f"{name} {event.n}")
        seen.append((name, event.n))

    return handle


KINDS = [each, batch, outside]
Kind = Callable[[str, Callable[[int], bool]], Callable[..., None]]


def visits(
    opened: Kind, viewed: Kind, *, fails: Callable[[str, int], bool] = lambda _name, _n: False
) -> Handlers:
    on = Handlers("shop")
    on(Opened, name="opened", group="visits")(opened("opened", lambda n: fails("opened", n)))
    on(Viewed, name="viewed", group="visits")(viewed("viewed", lambda n: fails("viewed", n)))
    on(Last, name="last", group="visits")(viewed("last", lambda n: fails("last", n)))
    on(Closed, name="closed", group="visits")(opened("closed", lambda n: fails("closed", n)))
    return on


def session(number: int) -> list[Known]:
    """One session, in order, with numbers that count on."""
    k, n = f"s{number}", number * 10
    return [
        Opened(k=k, s=k, n=n),
        Viewed(k=k, s=k, n=n + 1),
        Viewed(k=k, s=k, n=n + 2),
        Last(k=k, s=k, n=n + 3),
        Closed(k=k, s=k, n=n + 4),
    ]


def done(pipeline: Pipeline) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {"opened": [], "viewed": [], "last": [], "closed": []}
    for handler, n in [*effects_of(pipeline), *seen]:
        found[handler].append(n)
    return found


ALL = {
    "opened": [0, 10, 20],
    "viewed": [1, 2, 11, 12, 21, 22],
    "last": [3, 13, 23],
    "closed": [4, 14, 24],
}

HELD_UP = {
    ("opened", 10): True,
    ("viewed", 11): False,
    ("viewed", 12): False,
    ("last", 13): False,
    ("closed", 14): False,
}
"""What is parked of the second session where its first event has failed: whether it has an error."""


def held_up(pipeline: Pipeline) -> dict[tuple[str, int], bool]:
    return {(handler, n): bool(error) for handler, n, error in pipeline.parked()}


@pytest.fixture(autouse=True)
def nothing_seen() -> None:
    seen.clear()


def effects_of(pipeline: Pipeline) -> list[tuple[str, int]]:
    with pipeline.engine.connect() as db:
        return [(r.handler, r.n) for r in db.execute(effects.select().order_by(effects.c.seq))]
