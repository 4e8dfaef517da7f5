"""Whether anything has changed, by one statement that looks at the ends of tables only."""

from __future__ import annotations

from sqlalchemy import Connection, Table, func, literal_column, select

from ..database.journal_table import journal
from ..database.operation_table import operation
from ..database.sample_table import sample
from ..database.tables import dead, mail, outbox, parked, pause, position, relay_lease

Mark = tuple[object, ...]
"""Two that differ say that something has changed in between. That they are equal does not prove that nothing has."""


def _ends(table: Table) -> list[object]:
    return [select(end(table.c.id)).scalar_subquery() for end in (func.min, func.max)]


_next_mail = (
    select(mail.c.id)
    .where(mail.c.state == literal_column("'waiting'"))
    .order_by(mail.c.rank, mail.c.since, mail.c.id)
    .limit(1)
)
_mark = select(
    *(end for table in (parked, dead, mail, outbox) for end in _ends(table)),  # type: ignore[call-overload]
    _next_mail.scalar_subquery(),
    select(func.max(position.c.updated_at)).scalar_subquery(),
    select(func.sum(position.c.position)).scalar_subquery(),
    select(func.max(sample.c.minute)).scalar_subquery(),
    select(func.max(journal.c.id)).scalar_subquery(),
    select(func.count(pause.c.since)).scalar_subquery(),
    select(func.max(pause.c.since)).scalar_subquery(),
    select(func.max(pause.c.resumed_at)).scalar_subquery(),
    select(func.max(relay_lease.c.failed_at)).scalar_subquery(),
    select(operation.c.settled).order_by(operation.c.id.desc()).limit(1).scalar_subquery(),
    select(operation.c.ended_at).order_by(operation.c.id.desc()).limit(1).scalar_subquery(),
)


def mark_of(db: Connection) -> Mark:
    """What is compared. It costs the same, however much is parked."""
    return tuple(db.execute(_mark).one())
