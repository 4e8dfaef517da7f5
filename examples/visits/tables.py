"""The application's own tables; those of Oyez stand in the same database and begin with oyez_."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, MetaData, String, Table, Text

metadata = MetaData()

# Times are unix seconds; entry_page and exit_page are paths as logged, with the query.
visits = Table(
    "visits",
    metadata,
    Column("session_id", String(16), primary_key=True),
    Column("visitor_id", String(16), nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger, nullable=False),
    Column("page_views", Integer, nullable=False),
    Column("entry_page", Text, nullable=False),
    Column("exit_page", Text, nullable=False),
    # The log's line of exit_page: of two views in one second the later line is the later view.
    Column("exit_line", BigInteger, nullable=False),
)

# What was handled of one session from one server, and in which order: h = sha256(h + event id).
trail = Table(
    "trail",
    metadata,
    Column("session_id", String(16), primary_key=True),
    Column("source", String(250), primary_key=True),
    Column("events", Integer, nullable=False),
    Column("h", String(64), nullable=False),
)

# A row for each visit.landed that was handled; page as logged.
landings = Table(
    "landing",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("session_id", String(16), nullable=False),
    Column("page", Text, nullable=False),
)

# What the first pass over a log found that no event carries; one row for each import.
imports = Table(
    "visits_import",
    metadata,
    Column("topic", String(250), primary_key=True),
    Column("log", Text, nullable=False),
    Column("servers", Integer, nullable=False),
    Column("lines", BigInteger, nullable=False),
    Column("unparsed_lines", BigInteger, nullable=False),
)
