"""A signal, and an application that takes it."""

from __future__ import annotations

from oyez.consumers import Handlers
from oyez.schemas import Signal


class DjangoPaid(Signal, name="django.paid", key="k"):
    k: str = "k1"
    n: int = 0


on = Handlers("djangoshop")
taken: list[int] = []


@on(DjangoPaid)
def take(event: DjangoPaid) -> None:
    taken.append(event.n)
