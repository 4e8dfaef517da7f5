"""Places among the parked rows of a key: the ids of the retry table, from its own sequence.

A delivery that dies without ever having been parked gets one too. With it, it can be put back where it was: behind what
was parked before it died, before all that came later.
"""

from __future__ import annotations

from sqlalchemy import Connection, func, select, text

from .tables import parked

_SEQUENCE = func.pg_get_serial_sequence(parked.name, parked.c.id.name)
_NEXT = select(func.nextval(_SEQUENCE)).select_from(func.generate_series(1, text(":count")))
_ADVANCE = text("UPDATE sqlite_sequence SET seq = seq + :count WHERE name = :name RETURNING seq")
_BEGIN = text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :count) RETURNING seq")


def allot(db: Connection, count: int) -> list[int]:
    """So many new places, in order. A row that is parked later comes after them."""
    if count == 0:
        return []
    if db.dialect.name == "postgresql":
        return sorted(db.execute(_NEXT, {"count": count}).scalars())
    given = {"count": count, "name": parked.name}
    last = db.execute(_ADVANCE, given).scalar() or db.execute(_BEGIN, given).scalar_one()
    return list(range(last - count + 1, last + 1))
