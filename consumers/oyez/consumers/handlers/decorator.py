"""What ``on(Signal)`` returns. It takes a handler of any form and gives it back unchanged."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, Generic, ParamSpec, TypeAlias, TypeVar, overload

from oyez.schemas import Event, Signal

S = TypeVar("S", bound=Signal)
P = ParamSpec("P")
Later: TypeAlias = Coroutine[Any, Any, None]
"""What a call of an ``async def`` handler is."""


class Decorator(Generic[S]):
    """Registers the function that it decorates; its first parameter is checked against the signal."""

    def __init__(self, register: Callable[[Callable[..., object]], None]) -> None:
        self._register = register

    @overload
    def __call__(self, function: Callable[Concatenate[S, P], None]) -> Callable[Concatenate[S, P], None]: ...
    @overload
    def __call__(
        self, function: Callable[Concatenate[Event[S], P], None]
    ) -> Callable[Concatenate[Event[S], P], None]: ...
    @overload
    def __call__(
        self, function: Callable[Concatenate[list[S], P], None]
    ) -> Callable[Concatenate[list[S], P], None]: ...
    @overload
    def __call__(
        self, function: Callable[Concatenate[list[Event[S]], P], None]
    ) -> Callable[Concatenate[list[Event[S]], P], None]: ...
    @overload
    def __call__(
        self, function: Callable[Concatenate[S, P], Later]
    ) -> Callable[Concatenate[S, P], Later]: ...
    @overload
    def __call__(
        self, function: Callable[Concatenate[Event[S], P], Later]
    ) -> Callable[Concatenate[Event[S], P], Later]: ...
    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        self._register(function)
        return function
