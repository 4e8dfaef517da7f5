"""All that is kept of a delivery: what is listed of it, and the event itself."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json
from sqlalchemy import Connection, Table, select

from ..database.delivery_filter import Filter
from ..database.delivery_row import headers_of
from ..database.tables import dead, parked
from .deliveries import DeadDelivery, ParkedDelivery, dead_deliveries, parked_deliveries


@dataclass(frozen=True, slots=True)
class DeliveryDetails:
    """A delivery with the event as it arrived. ``event`` is its JSON, if it is any; else its bytes are in ``text``,
    or in ``base64`` if they are no text either."""

    delivery: ParkedDelivery | DeadDelivery
    headers: Sequence[tuple[str, str]]
    event: Any
    text: str | None
    base64: str | None


def parked_details(db: Connection, wanted: Filter) -> list[DeliveryDetails]:
    """Parked deliveries that the filter finds."""
    return [_details(db, parked, delivery) for delivery in list(parked_deliveries(db, wanted))]


def dead_details(db: Connection, wanted: Filter) -> list[DeliveryDetails]:
    """Dead letters that the filter finds."""
    return [_details(db, dead, delivery) for delivery in list(dead_deliveries(db, wanted))]


def _details(db: Connection, table: Table, delivery: ParkedDelivery | DeadDelivery) -> DeliveryDetails:
    row = db.execute(select(table.c.value, table.c.headers).where(table.c.id == delivery.id)).first()
    value = b"" if row is None or row.value is None else bytes(row.value)
    headers = [] if row is None else headers_of(row.headers)
    shown = [(name, said.decode(errors="backslashreplace")) for name, said in headers]
    return DeliveryDetails(delivery, shown, *_content(value))


def _content(value: bytes) -> tuple[Any, str | None, str | None]:
    try:
        return from_json(value), None, None
    except ValueError:
        pass
    try:
        return None, value.decode(), None
    except UnicodeDecodeError:
        return None, None, base64.b64encode(value).decode()
