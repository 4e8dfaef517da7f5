"""Signals that the tests of this folder share, in a catalogue of their own."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from pydantic import BaseModel, Field

from oyez.schemas import Catalogue, Signal

known = Catalogue()


class Known(Signal, catalogue=known):
    """The base of these signals."""


class Place(BaseModel, extra="forbid"):
    city: str
    postcode: str | None = None


class SessionStarted(Known, name="session.started", number=1, key="session_id", subject="session_id"):
    session_id: str
    place: Place | None = None


class PageViewed(
    Known, name="page.viewed", number=3, key="session_id", requires={SessionStarted: "session_id"}
):
    session_id: str
    url: str


class OrderPaid(Known, name="order.paid", key="order_id", subject="order_id"):
    order_id: int
    receipt: UUID
    amount: Decimal
    paid_at: datetime
    proof: bytes = b""
    by: str = Field("", alias="paidBy")
