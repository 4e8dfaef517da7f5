"""The table of operations: what somebody does, or has done, to many deliveries by the dashboard.

``action`` is such as "dead retry", ``chosen`` says in words to which deliveries, ``counts`` are those of its `Tally`,
in JSON, once it has ended. Whoever does it writes ``heard_at`` from time to time: one of which nothing is heard any
more was cut off. ``stop_at`` is when somebody asked for its end.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Double, Index, Table, Text, text

from .message_type import Message
from .metadata import metadata
from .row_id_type import RowId

operation = Table(
    "oyez_operation",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("app", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("who", Message, nullable=False),
    Column("chosen", Message, nullable=False),
    Column("rate", Text),
    Column("total", BigInteger, nullable=False),
    Column("settled", BigInteger, nullable=False, server_default=text("0")),
    Column("counts", Text),
    Column("error", Message),
    Column("began_at", Double, nullable=False),
    Column("heard_at", Double, nullable=False),
    Column("stop_at", Double),
    Column("ended_at", Double),
    Index("oyez_operation_app", "app", "id"),
    sqlite_autoincrement=True,
)
