"""Errands for the pools of lanes in memory, without a worker."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from consumers.lanes.lanes_by_hand import Line
from consumers.pipeline import Placed, known
from oyez.consumers import Application, Handlers
from oyez.consumers.execution.delivery import Delivery
from oyez.consumers.execution.reader import Taken
from oyez.consumers.handlers.registry import Handler
from oyez.consumers.lanes.by_key import Errand
from oyez.consumers.lanes.frontier import Flight


def loose_handler(function: Callable[[Placed], Any], lanes: int) -> Handler:
    """The concurrent handler of an at-least-once group."""
    on = Handlers("shop", promises={"loose": "at-least-once"})
    on(Placed, group="loose", concurrency=lanes)(function)
    (handler,) = Application(on, known).groups["shop.loose"].concurrent
    return handler


def errand(handler: Handler, n: int, key: str | None = None) -> Errand:
    """An event that is to be run."""
    envelope: Any = {"data": Placed(n=n), "source": "web", "id": str(n), "partitionkey": key}
    return Errand(Delivery(handler, Taken(handler.declaration, envelope, Line(0, n)), n), Flight(1))
