"""Registers one handler, or sees it refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection
from sqlalchemy.orm import Session

from consumers.pipeline import Opened, Placed, one_line
from oyez.consumers import Handlers, RegistrationError
from oyez.consumers.handlers.registry import Handler
from oyez.schemas import Signal


def registered(function: Callable[..., Any], signal: type[Signal] = Placed, **options: Any) -> Handler:
    on = Handlers("shop")
    decorator: Any = on(signal, **options)
    assert decorator(function) is function
    return next(iter(on))


def refused(function: Callable[..., Any], *parts: str, signal: type[Signal] = Placed, **options: Any) -> str:
    with pytest.raises(RegistrationError) as caught:
        registered(function, signal, **options)
    return one_line(caught.value, *parts)


def takes_model(event: Placed) -> None: ...
def takes_either(event: Placed | Opened) -> None: ...


def injected(event: Placed, db: Session, other: Connection) -> None: ...
