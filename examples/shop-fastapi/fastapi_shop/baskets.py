"""The table of baskets, and what is read from it."""

import os
from contextlib import suppress

from sqlalchemy import Column, Engine, Integer, MetaData, Table, Text, create_engine, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.schema import CreateTable

baskets = Table(
    "basket",
    MetaData(),
    Column("session", Text, primary_key=True),
    Column("item", Text, primary_key=True),
    Column("count", Integer, nullable=False),
)


def opened() -> Engine:
    """The database that Oyez uses too, with the table."""
    engine = create_engine(os.environ.get("OYEZ_DATABASE", "sqlite:///oyez.db"))
    # Another process of the server may make it at this moment.
    with suppress(IntegrityError), engine.begin() as db:
        db.execute(CreateTable(baskets, if_not_exists=True))
    return engine


def in_basket(engine: Engine, session: str | None) -> dict[str, int]:
    """How many of each item are in a session's basket."""
    query = select(baskets.c.item, baskets.c.count).where(baskets.c.session == session)
    with engine.connect() as db:
        return {row["item"]: row["count"] for row in db.execute(query.order_by(baskets.c.item)).mappings()}
