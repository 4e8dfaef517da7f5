"""All that tables have of a group, under another name."""

from __future__ import annotations

from sqlalchemy import Connection, Table, delete, exists, update

from .journal_table import journal
from .sample_table import sample
from .tables import behind, committed, dead, inbox, misplaced, parked, position, releasing, start

NAMED = (position, inbox, parked, behind, releasing, start, dead, committed, misplaced, journal, sample)
"""The others that name groups are `oyez_member`, whose rows are of processes; and `oyez_handler` and `oyez_pause`, of
which those of the application alone are renamed."""


def give(db: Connection, old: str, new: str) -> None:
    """Give what the group ``old`` has to ``new``. Where both have the same, such as a note, that of ``new`` stays."""
    for table in NAMED:
        _leave_out_what_is_there(db, table, old, new)
        db.execute(update(table).where(table.c.group_name == old).values(group_name=new))


def _leave_out_what_is_there(db: Connection, table: Table, old: str, new: str) -> None:
    key = table.primary_key.columns
    if "group_name" not in key:
        return
    there = table.alias("there")
    same = [there.c[column.name] == column for column in key if column.name != "group_name"]
    is_there = exists().where(there.c.group_name == new, *same)
    db.execute(delete(table).where(table.c.group_name == old, is_there))
