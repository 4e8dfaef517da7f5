"""Prerequisites are met: they are marked, what waits for them is made due, and what has died waiting is revived."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Connection, Text, bindparam, literal, select

from oyez.schemas.declaration import Prerequisite

from . import delivery_moves, passing, prerequisites, releasing
from .dialects.dialect import Dialect
from .dialects.lookup import dialect_of
from .dialects.rows import Rows
from .tables import dead


class Meeting(NamedTuple):
    """The group of each delivery that was released, and of each that was dead and is parked again; and whether more may
    follow them, in later steps."""

    released: list[str]
    revived: list[str]
    may_be_more: bool


NOTHING = Meeting([], [], may_be_more=False)


def meet(db: Connection, app: str, completed: Iterable[Prerequisite], now: float) -> Meeting:
    """These prerequisites are met now. The caller locked them in an earlier statement, which said that they were not.

    Each step is a statement of its own: it sees what those whose locks were waited for have parked or buried. Where
    more wait than are released at once, the rest is left to `go_on`.
    """
    asked = sorted(set(completed))
    if not asked:
        return NOTHING
    prerequisites.mark_met(db, app, asked, now)
    released = releasing.release(db, app, asked, now)
    revived = _revive(db, app, asked, now)
    if released.may_be_more:
        releasing.leave(db, app, asked)
    if more_have_died := len(revived) >= releasing.AT_ONCE:
        releasing.leave_dead(db, app, asked)
    return Meeting(released.groups, revived, released.may_be_more or more_have_died)


def go_on(db: Connection, app: str, group: str, now: float) -> Meeting:
    """Release more of what waits in a group for a prerequisite that was met before, if anything is left."""
    left = releasing.next_left(db, group)
    if left is None:
        return NOTHING
    prerequisites.lock(db, app, [left], now)
    released = releasing.release_in_group(db, app, group, left, now)
    revived = _revive(db, app, [left], now)
    may_be_more = released.may_be_more or len(revived) >= releasing.AT_ONCE
    if not may_be_more:
        releasing.forget(db, group, left)
    return Meeting(released.groups, revived, may_be_more)


_any_died_waiting = (
    select(literal(1)).where(dead.c.app == bindparam("of_app"), dead.c.wait_signal.is_not(None)).limit(1)
)


@cache
def _died_waiting(dialect: Dialect) -> tuple[Rows, Any]:
    rows = dialect.rows(signal=Text, subject=Text)
    query = select(dead).where(
        dead.c.app == bindparam("of_app"),
        dead.c.wait_signal.is_not(None),  # said for the sake of the partial index
        rows.matches(dead.c.wait_signal, dead.c.wait_subject),
    )
    limited = query.order_by(dead.c.id).limit(bindparam("most", type_=BigInteger))
    return rows, limited.with_for_update(of=dead)


def _revive(db: Connection, app: str, completed: list[Prerequisite], now: float) -> list[str]:
    """Park the dead deliveries that were never met but for these prerequisites, each with its old id, with no
    attempts made.

    Whoever buries, retries or discards such a letter has locked its prerequisite first, so that none is missed.
    """
    if db.execute(_any_died_waiting, {"of_app": app}).first() is None:
        return []
    rows, statement = _died_waiting(dialect_of(db))
    letters = db.execute(statement, {**rows.bind(completed), "of_app": app, "most": releasing.AT_ONCE}).all()
    if not letters:
        return []
    parked = delivery_moves.put_back(db, letters, now)
    delivery_moves.discard(db, dead, [letter.id for letter in letters])
    passing.place(db, app, parked, now)
    return [letter.group_name for letter in letters]
