"""The table of the journal: a row for each thing that became of a delivery.

``at`` is the time of its transaction, ``arrived_at`` when its group took it, ``announced_at`` what its announcer said.
``seconds`` is what the handlers of the transaction took, for the ``together`` deliveries that they ran in it.
``due_at`` is set for what is tried again.
"""

from __future__ import annotations

from sqlalchemy import Column, Double, Index, Integer, Table, Text

from .message_type import Message
from .metadata import metadata
from .partial_indexes import only
from .row_id_type import RowId

EXPIRED = "outcome = 'expired'"

journal = Table(
    "oyez_journal",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("at", Double, nullable=False),
    Column("app", Text, nullable=False),
    Column("group_name", Text, nullable=False),
    Column("handler", Text, nullable=False),
    Column("signal", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("key", Text),
    Column("subject", Text),
    Column("outcome", Text, nullable=False),
    Column("announced_at", Double),
    Column("arrived_at", Double, nullable=False),
    Column("seconds", Double),
    Column("together", Integer),
    Column("attempts", Integer, nullable=False),
    Column("wait_signal", Text),
    Column("wait_subject", Text),
    Column("due_at", Double),
    Column("reason", Message),
    Column("error", Message),
    Index("oyez_journal_key", "key", "id", **only("key IS NOT NULL")),
    Index("oyez_journal_expired", "app", "event_id", **only(EXPIRED)),
)
