"""The application behind the collectors: `oyez listen --app soak.collecting.app:on`. ROWS_APP is its name."""

from __future__ import annotations

import os

from sqlalchemy import BigInteger, Column, Connection, Integer, MetaData, Table, Text, insert

from oyez.consumers import Handlers
from oyez.schemas import Event, Signal

tables = MetaData()
handled = Table(
    "collected",
    tables,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("event", Text, nullable=False),
)


class Posted(Signal, name="soak.posted"):
    n: int
    more: str = ""


on = Handlers(os.environ.get("ROWS_APP", "rows"))


@on(Posted)
def note(posted: list[Event[Posted]], db: Connection) -> None:
    db.execute(insert(handled), [{"event": one.id} for one in posted])
