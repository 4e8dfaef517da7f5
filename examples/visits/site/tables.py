"""The site's own tables; those of Oyez stand in the same database and begin with oyez_."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Integer, MetaData, String, Table, Text

metadata = MetaData()
_NUMBER = BigInteger().with_variant(Integer, "sqlite")

views = Table(
    "site_view",
    metadata,
    Column("id", _NUMBER, primary_key=True),
    Column(
        "visit", String(250)
    ),  # the session; none is known of who has not consented and has no id of the day
    Column("at", DateTime(timezone=True), nullable=False),
    Column("path", Text, nullable=False),
    Column("bot", Boolean, nullable=False),
)
leaves = Table(
    "site_leave",
    metadata,
    Column("id", _NUMBER, primary_key=True),
    Column("path", Text, nullable=False),
    Column("seconds", Integer, nullable=False),
)
links = Table(
    "site_link",
    metadata,
    Column("id", _NUMBER, primary_key=True),
    Column("path", Text, nullable=False),
    Column("target", Text, nullable=False),
)
likes = Table(
    "site_like", metadata, Column("id", _NUMBER, primary_key=True), Column("path", Text, nullable=False)
)
