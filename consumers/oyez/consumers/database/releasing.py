"""Making due what waits for a prerequisite that is met: some at once, the rest in later steps.

A hundred thousand rows may wait for one subject. Whoever meets it must not hold everything up while they are changed.
So it releases some, and leaves a note of the rest (`oyez_releasing`), which is released step by step wherever the retry
table is run. Whoever meets the prerequisite holds its lock, and nobody begins to wait for one that is met: no row is
added meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Connection,
    Double,
    Select,
    Subquery,
    Text,
    bindparam,
    cast,
    delete,
    func,
    null,
    select,
    update,
)

from oyez.schemas.declaration import Prerequisite

from .claims import unclaimed
from .dialects.dialect import Dialect
from .dialects.lookup import dialect_of
from .dialects.rows import ALWAYS, Rows
from .due import at_once
from .due_queues import is_any_left
from .tables import dead, parked, releasing
from .walks import walk

AT_ONCE = 1_000
"""Rows that are released in one step."""


def _waits_for(row: Any, place: Any) -> list[Any]:
    return [
        row.c.app == bindparam("of_app"),
        row.c.wait_signal.is_not(None),  # said for the sake of the partial index
        row.c.wait_signal == place.c.signal,
        row.c.wait_subject == place.c.subject,
    ]


def _waits_in_group(row: Any, place: Any) -> list[Any]:
    return [*_waits_for(row, place), row.c.group_name == place.c.group_name]


@cache
def _groups(dialect: Dialect) -> tuple[Rows, Any]:
    """The groups in which rows wait for the given prerequisites: a look for each, and one more."""
    rows = dialect.rows(signal=Text, subject=Text)
    met = rows.select(bindparam("no_group", type_=Text).label("group_name")).subquery("met")
    return rows, walk(dialect, parked, met, _waits_for, ("group_name",), "groups")


_BEGIN = (
    bindparam("begin", type_=Double).label("head_since"),
    bindparam("zero", type_=BigInteger).label("id"),
)


def _from_the_first() -> dict[str, Any]:
    return {"begin": float("-inf"), "zero": 0, "most": AT_ONCE}


class Released(NamedTuple):
    """The group of each row that was released, and whether more rows may wait for the same."""

    groups: list[str]
    may_be_more: bool


def _let_go(dialect: Dialect, places: Subquery) -> Any:
    """The first rows of each of these places (signal, subject, group) become due.

    Where transactions write side by side, one of them may be changed by another one in between, and is not released
    then. So it is not the rows released that say whether there are more: a line without a group does, if as many were
    found as were asked for.
    """
    waiting = walk(dialect, parked, places, _waits_in_group, ("head_since", "id"), "waiting")
    most = bindparam("most", type_=BigInteger)
    found = select(waiting.c.id).limit(most)
    if not dialect.writes_in_queries:
        return _made_due(dialect, found)
    chosen = found.cte("chosen")
    released = _made_due(dialect, select(chosen.c.id)).cte("released")
    count = select(func.count()).select_from(chosen).scalar_subquery()
    return select(released.c.group_name).union_all(select(cast(null(), Text)).where(count >= most))


def _made_due(dialect: Dialect, ids: Select[Any]) -> Any:
    due = update(parked).values(due_at=bindparam("due"), wait_signal=None, wait_subject=None)
    is_waiting = parked.c.wait_signal.is_not(None)
    return due.where(dialect.is_one_of(parked.c.id, ids), is_waiting).returning(parked.c.group_name)


def _released(db: Connection, statement: Any, given: dict[str, Any]) -> Released:
    found = list(db.execute(statement, given).scalars())
    groups = [group for group in found if group is not None]
    return Released(groups, len(groups) < len(found) or len(groups) >= AT_ONCE)


@cache
def _release(dialect: Dialect) -> tuple[Rows, Any]:
    rows, groups = _groups(dialect)
    return rows, _let_go(dialect, select(groups, *_BEGIN).subquery("begin"))


def release(db: Connection, app: str, prerequisites: Iterable[Prerequisite], now: float) -> Released:
    """Make due what has waited longest for ``prerequisites``, in all groups, so many rows at most as are released in
    one step. The caller has locked the prerequisites."""
    completed = sorted(set(prerequisites))
    if not completed:
        return Released([], False)
    rows, statement = _release(dialect_of(db))
    given = {"of_app": app, "no_group": "", "due": at_once(now), **_from_the_first()}
    return _released(db, statement, {**rows.bind(completed), **given})


@cache
def _leave(dialect: Dialect) -> tuple[Rows, Any]:
    rows, groups = _groups(dialect)
    found = select(groups.c.group_name, groups.c.signal, groups.c.subject).where(ALWAYS)
    new = dialect.insert(releasing).from_select(["group_name", "signal", "subject"], found)
    return rows, new.on_conflict_do_nothing()


def leave(db: Connection, app: str, prerequisites: Iterable[Prerequisite]) -> None:
    """Note in which groups more rows wait for these prerequisites, which are met."""
    rows, statement = _leave(dialect_of(db))
    db.execute(statement, {**rows.bind(sorted(set(prerequisites))), "of_app": app, "no_group": ""})


@cache
def _leave_dead(dialect: Dialect) -> tuple[Rows, Any]:
    rows = dialect.rows(signal=Text, subject=Text)
    found = select(dead.c.group_name, dead.c.wait_signal, dead.c.wait_subject).where(
        dead.c.app == bindparam("of_app"),
        dead.c.wait_signal.is_not(None),
        rows.matches(dead.c.wait_signal, dead.c.wait_subject),
    )
    new = dialect.insert(releasing).from_select(["group_name", "signal", "subject"], found.distinct())
    return rows, new.on_conflict_do_nothing()


def leave_dead(db: Connection, app: str, prerequisites: Iterable[Prerequisite]) -> None:
    """Note in which groups more dead letters have waited for these prerequisites, which are met."""
    rows, statement = _leave_dead(dialect_of(db))
    db.execute(statement, {**rows.bind(sorted(set(prerequisites))), "of_app": app})


_mine = releasing.c.group_name == bindparam("group")
_left = unclaimed(
    select(releasing.c.signal, releasing.c.subject)
    .where(_mine)
    .order_by(releasing.c.signal, releasing.c.subject)
    .limit(1),
    releasing,
)


def next_left(db: Connection, group: str) -> Prerequisite | None:
    """A prerequisite for which more may wait in a group, and that nobody else releases at the moment; its note is
    locked."""
    found = db.execute(_left, {"group": group}).first() if is_any_left(db, group) else None
    return None if found is None else Prerequisite(*found)


@cache
def _release_in_group(dialect: Dialect) -> tuple[Rows, Any]:
    rows = dialect.rows(signal=Text, subject=Text, group_name=Text)
    return rows, _let_go(dialect, rows.select(*_BEGIN).subquery("begin"))


def release_in_group(
    db: Connection, app: str, group: str, prerequisite: Prerequisite, now: float
) -> Released:
    """As `release`, in one group."""
    rows, statement = _release_in_group(dialect_of(db))
    given = {"of_app": app, "due": at_once(now), **_from_the_first()}
    return _released(db, statement, {**rows.bind([(*prerequisite, group)]), **given})


_done = delete(releasing).where(
    _mine,
    releasing.c.signal == bindparam("of_signal"),
    releasing.c.subject == bindparam("of_subject"),
)


def forget(db: Connection, group: str, prerequisite: Prerequisite) -> None:
    """Nothing waits for it in the group any more."""
    given = {"group": group, "of_signal": prerequisite.signal, "of_subject": prerequisite.subject}
    db.execute(_done, given)
