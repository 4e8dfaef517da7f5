"""The table of samples: a row for each group and minute since the epoch.

``handled`` are deliveries that were done since the minute before, ``failed`` attempts that failed. ``lag`` is in
records, and NULL if no worker knew it. ``oldest_wait`` are the seconds since the oldest parked delivery was parked.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Double, Table, Text

from .metadata import metadata

sample = Table(
    "oyez_sample",
    metadata,
    Column("minute", BigInteger, primary_key=True, autoincrement=False),
    Column("group_name", Text, primary_key=True),
    Column("handled", BigInteger, nullable=False),
    Column("failed", BigInteger, nullable=False),
    Column("lag", BigInteger),
    Column("parked", BigInteger, nullable=False),
    Column("oldest_wait", Double),
    Column("dead", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
