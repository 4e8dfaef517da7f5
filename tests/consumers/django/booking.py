"""An application whose handler uses Django's ORM."""

from __future__ import annotations

from consumers.django.test_transaction import create
from oyez.consumers import Handlers
from oyez.consumers.django import DjangoTransaction
from oyez.schemas import Signal


class DjangoBooked(Signal, name="django.booked", key="k"):
    k: str = "k1"
    n: int = 0


on = Handlers("booking")


@on(DjangoBooked)
def book(event: DjangoBooked, db: DjangoTransaction) -> None:
    create(event.n)
