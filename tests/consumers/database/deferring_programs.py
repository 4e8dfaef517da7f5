"""What handlers may do with a connection, event by event, as values that can be played on any."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import strategies as st
from sqlalchemy import (
    Column,
    Connection,
    Integer,
    MetaData,
    Table,
    Text,
    bindparam,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.exc import CompileError, IntegrityError
from sqlalchemy.orm import Session

tables = MetaData()
row = Table(
    "deferred_row",
    tables,
    Column("seq", Integer, primary_key=True),
    Column("n", Integer),
    Column("said", Text, server_default="nothing"),
)
once = Table("deferred_once", tables, Column("n", Integer, unique=True))

Doing = Connection | Session
Step = Callable[[Doing, int], Any]
"""Does something for a number; returns what the handler saw by it."""

_ADD, _SET = insert(row), update(row).where(row.c.n == bindparam("at")).values(n=bindparam("to"))
_AMONG = update(row).where(row.c.n.in_([0, 1])).values(n=bindparam("to"))
_COUNT = select(func.count(row.c.seq), func.coalesce(func.sum(row.c.n), 0))


def with_text(db: Doing, n: int) -> None:
    db.execute(text("INSERT INTO deferred_row (n, said) VALUES (:n, :said)"), {"n": n, "said": "text"})


def with_a_constant(db: Doing, n: int) -> None:
    db.execute(_ADD, {"n": n, "said": "constant"})


def with_fewer_columns(db: Doing, n: int) -> None:
    db.execute(_ADD, {"n": n})


def with_values(db: Doing, n: int) -> None:
    db.execute(insert(row).values(n=n, said="values"))


def with_an_expression(db: Doing, n: int) -> None:
    db.execute(insert(row).values(n=func.abs(-n)))


def with_a_parameter_of_its_own(db: Doing, n: int) -> None:
    db.execute(insert(row).values(n=bindparam("mine")), {"mine": n})


def with_parameters_used_again(db: Doing, n: int) -> None:
    given = {"n": n}
    for said in range(2):
        given["n"] += said
        db.execute(_ADD, given)
    given["n"] = -1


def moving(db: Doing, n: int) -> None:
    db.execute(_SET, {"at": n, "to": n + 1})


def deleting(db: Doing, n: int) -> None:
    db.execute(text("DELETE FROM deferred_row WHERE n = :n"), {"n": n})


def deleting_all(db: Doing, _n: int) -> None:
    db.execute(text("DELETE FROM deferred_row"))


def counting(db: Doing, _n: int) -> Any:
    return tuple(db.execute(_COUNT).one())


def asking_how_many(db: Doing, n: int) -> int:
    return int(db.execute(_SET, {"at": n, "to": n}).rowcount)


def asking_later(db: Doing, n: int) -> int:
    moved = db.execute(_SET, {"at": n, "to": n + 1})
    with_text(db, n)
    counting(db, n)
    return int(moved.rowcount)


def returning(db: Doing, n: int) -> Any:
    return db.execute(insert(row).values(n=n).returning(row.c.n)).scalar_one()


def only_once(db: Doing, n: int) -> str:
    try:
        with db.begin_nested():
            db.execute(insert(once), {"n": n})
    except IntegrityError:
        return "there already"
    return "new"


def upserting(db: Doing, n: int) -> None:
    db.execute(
        text("INSERT INTO deferred_once (n) VALUES (:n) ON CONFLICT (n) DO UPDATE SET n = excluded.n"),
        {"n": n},
    )


def undone(db: Doing, n: int) -> None:
    with db.begin_nested() as savepoint:
        with_a_constant(db, n)
        savepoint.rollback()


def with_an_unknown_column(db: Doing, n: int) -> str:
    try:
        with db.begin_nested():
            db.execute(insert(row).values(n=n, misspelled=n))
    except CompileError:
        return "refused"
    return "written"


def with_many_in_a_constant(db: Doing, n: int) -> None:
    db.execute(_AMONG, {"to": n})


def by_a_driver_held_before(db: Doing, n: int) -> Any:
    connection = db if isinstance(db, Connection) else db.connection()
    cursor = connection.connection.cursor()
    with_a_constant(db, n)
    cursor.execute("SELECT count(*) FROM deferred_row")
    return cursor.fetchone()[0]


def asking_for_its_class(db: Doing, n: int) -> bool:
    return isinstance(db.execute(_ADD, {"n": n}), Sequence)


STEPS: Sequence[Step] = (
    with_text,
    with_a_constant,
    with_fewer_columns,
    with_values,
    with_an_expression,
    with_a_parameter_of_its_own,
    with_parameters_used_again,
    moving,
    deleting,
    deleting_all,
    counting,
    asking_how_many,
    asking_later,
    returning,
    only_once,
    undone,
    upserting,
    with_an_unknown_column,
    with_many_in_a_constant,
    by_a_driver_held_before,
    asking_for_its_class,
)

Program = Sequence[tuple[Step, int]]


def _one_by_one(parts: Sequence[tuple[Step, int, int]]) -> Program:
    return [(step, n) for step, n, times in parts for _ in range(times)]


programs = st.lists(
    st.tuples(st.sampled_from(STEPS), st.integers(0, 4), st.sampled_from([1, 1, 1, 1, 20])), max_size=25
).map(_one_by_one)
"""Some steps come many times in a row: enough of them to be sent as columns."""


def played(db: Doing, program: Program) -> list[Any]:
    """What the handler saw, step by step, and what is in the tables at the end."""
    seen = [step(db, n) for step, n in program]
    rows = db.execute(select(row.c.n, row.c.said).order_by(row.c.seq)).all()
    return [*seen, [tuple(one) for one in rows], sorted(db.execute(select(once.c.n)).scalars())]
