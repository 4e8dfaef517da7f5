"""A callable and what it wraps: `functools.partial`, `functools.wraps`, objects with ``__call__``."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from typing import Any


def layers(function: Callable[..., object]) -> Iterator[Any]:
    """The callable itself, then what it calls, inwards."""
    layer: Any = function
    seen: set[int] = set()
    while layer is not None and id(layer) not in seen:
        seen.add(id(layer))
        yield layer
        layer = _inner(layer)


def innermost(function: Callable[..., object]) -> Any:
    """The plain function that is called in the end."""
    *_, last = layers(function)
    return last


def place(function: Callable[..., object]) -> str:
    """Where a callable is written, for messages: module and qualified name."""
    named = next((layer for layer in layers(function) if hasattr(layer, "__qualname__")), type(function))
    module = getattr(named, "__module__", None)  # methods of built-in types have none
    return f"{module}.{named.__qualname__}" if module else str(named.__qualname__)


def _inner(layer: Any) -> Any:
    if isinstance(layer, functools.partial):
        return layer.func
    if hasattr(layer, "__wrapped__"):
        return layer.__wrapped__
    if inspect.isroutine(layer) or inspect.isclass(layer) or not callable(layer):
        return None
    return layer.__call__  # the bound method of an object
