"""What is due stands in queues: of each handler, what is due at once, and what has become due by time.

A claim takes from all of them. However much stands in one, the others are not held up by it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Text, bindparam, or_, select

from .dialects.dialect import Dialect
from .dialects.lookup import dialect_named
from .due import due_since
from .tables import parked, releasing

Keys = Mapping[str, AbstractSet[str]]
"""By handler: keys of which nothing is to be claimed."""
NO_KEYS: Keys = {}
KINDS = 2
"""Of queues, for each handler."""


class Queue(NamedTuple):
    """A handler's due rows of one kind; ``since`` is when the first of them became due, or will."""

    since: float
    handler: str
    is_at_once: bool


def is_in(*, at_once: bool) -> ColumnElement[bool]:
    """Whether a row is due at once, or by time; each is one range of the index of what is due."""
    due_at: ColumnElement[float] = parked.c.due_at
    return due_at < 0.0 if at_once else due_at >= 0.0


def is_of_others() -> ColumnElement[bool]:
    """Whether a row's key is none of those that are ``left`` to whoever resumes them."""
    keys = bindparam("left", expanding=True, type_=Text)
    return or_(parked.c.key.is_(None), parked.c.key.not_in(keys))


@cache
def _firsts_of_others() -> Any:
    """As `_firsts`, of one handler."""
    of_handler = (parked.c.group_name == bindparam("group"), parked.c.handler == bindparam("of_handler"))
    return select(
        *(
            select(parked.c.due_at)
            .where(*of_handler, is_in(at_once=at_once), is_of_others())
            .order_by(parked.c.due_at, parked.c.id)
            .limit(1)
            .scalar_subquery()
            for at_once in (True, False)
        )
    )


@cache
def _firsts(dialect: Dialect, handlers: Sequence[str]) -> tuple[Any, dict[str, object]]:
    """The statement for these handlers, and its parameters: it is asked often, and always for the same ones."""
    rows = dialect.rows(handler=Text)
    given = rows.select().subquery("asked")
    firsts = [
        select(parked.c.due_at)
        .where(
            parked.c.group_name == bindparam("group"),
            parked.c.handler == given.c.handler,
            is_in(at_once=at_once),
        )
        .order_by(parked.c.due_at, parked.c.id)
        .limit(1)
        .correlate(given)
        .scalar_subquery()
        for at_once in (True, False)
    ]
    return select(given.c.handler, *firsts), rows.bind([(name,) for name in handlers])


def firsts(
    db: Connection, group: str, handlers: Sequence[str], left: Keys = NO_KEYS
) -> Iterator[tuple[str, float]]:
    """The ``due_at`` of the first row of each of these handlers' queues, without those that are empty: two looks into
    an index for each handler. Where keys are ``left``, what is due of them is passed over, row by row."""
    whole = tuple(name for name in handlers if name not in left)
    if whole:
        statement, given = _firsts(dialect_named(db.dialect.name), whole)
        for handler, *found in db.execute(statement, {**given, "group": group}):
            yield from ((handler, due_at) for due_at in found if due_at is not None)
    for handler in handlers:
        if handler in left:
            given = {"group": group, "of_handler": handler, "left": sorted(left[handler])}
            row = db.execute(_firsts_of_others(), given).one()
            yield from ((handler, due_at) for due_at in row if due_at is not None)


def due(db: Connection, group: str, handlers: Sequence[str], now: float, left: Keys = NO_KEYS) -> list[Queue]:
    """The queues in which something is due, those first in which it has been for longest."""
    return sorted(
        Queue(due_since(due_at), handler, due_at < 0.0)
        for handler, due_at in firsts(db, group, handlers, left)
        if due_at <= now
    )


_any_left = select(releasing.c.signal).where(releasing.c.group_name == bindparam("group")).limit(1)


def is_any_left(db: Connection, group: str) -> bool:
    """Whether more may wait in a group for a prerequisite that is met; see `releasing`."""
    return db.execute(_any_left, {"group": group}).first() is not None


def next_due(db: Connection, group: str, handlers: Sequence[str], left: Keys = NO_KEYS) -> float | None:
    """When the next parked row of these handlers is due, if any is, without the keys that are ``left``; long ago where
    some are to be released. Rows of handlers that are not registered never are."""
    if is_any_left(db, group):
        return float("-inf")
    return min((due_at for _, due_at in firsts(db, group, handlers, left)), default=None)
