"""An application whose handler fails, until it is mended."""

from __future__ import annotations

from oyez.consumers import Handlers
from oyez.schemas import Signal


class DjangoTried(Signal, name="django.tried", key="k"):
    k: str = "k1"
    n: int = 0


on = Handlers("tried")
mended: list[bool] = []


@on(DjangoTried, order="none")
def attempt(event: DjangoTried) -> None:
    if not mended:
        raise ValueError(f"<b>{event.n}</b>")
