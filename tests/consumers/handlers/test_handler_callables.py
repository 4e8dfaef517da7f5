"""Which callables may be handlers: functions, partial functions, objects and methods; which of them are awaited."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Connection
from sqlalchemy.orm import Session

from consumers.handlers.registering import injected, refused, registered, takes_model
from consumers.pipeline import Placed
from oyez.consumers.handlers.options import LANES
from oyez.consumers.handlers.signature import Form


async def coroutine(event: Placed) -> None: ...


async def async_generator(event: Placed) -> AsyncIterator[int]:
    yield 1


def generator(event: Placed) -> Iterator[int]:
    yield 1


class Callables:
    def __call__(self, event: Placed, db: Session) -> None: ...

    def method(self, event: list[Placed], db: Session) -> None: ...

    async def slow(self, event: Placed) -> None: ...


class Slow:
    async def __call__(self, event: Placed) -> None: ...


def adapted(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*given: Any, **named: Any) -> Any:
        return function(*given, **named)

    return call


def turned(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    async def call(*given: Any, **named: Any) -> Any:
        await asyncio.sleep(0)
        return function(*given, **named)

    return call


@pytest.mark.parametrize(
    "function",
    [
        coroutine,
        adapted(coroutine),
        turned(takes_model),
        functools.partial(coroutine),
        Callables().slow,
        Slow(),
    ],
)
def test_coroutines_are_awaited_in_lanes(function: Callable[..., None]) -> None:
    handler = registered(function, name="given")
    assert handler.signature.is_async
    assert handler.concurrency == LANES


@pytest.mark.parametrize("function", [takes_model, adapted(takes_model), functools.partial(takes_model)])
def test_others_are_not(function: Callable[..., None]) -> None:
    handler = registered(function, name="given")
    assert not handler.signature.is_async
    assert handler.concurrency is None


@pytest.mark.parametrize(
    "function", [generator, async_generator, adapted(generator), functools.partial(generator)]
)
def test_generators_are_refused(function: Callable[..., None]) -> None:
    refused(function, "generator handlers are not supported", "remove the yield", name="given")


def test_wrapped_functions_are_read_through() -> None:
    handler = registered(adapted(injected))
    assert handler.signature.injected == {"db": Session, "other": Connection}
    assert handler.name == "injected"


def with_limit(limit: int, event: list[Placed], db: Session) -> None: ...


def test_partial_functions_and_objects_need_a_name() -> None:
    refused(functools.partial(with_limit, 3), "with_limit", "name=")
    refused(Callables(), "Callables", "name=")


@pytest.mark.parametrize(
    ("function", "form"),
    [
        (functools.partial(with_limit, 3), Form.MODELS),
        (Callables(), Form.MODEL),
        (Callables().method, Form.MODELS),
    ],
)
def test_partial_functions_objects_and_methods(function: Callable[..., None], form: Form) -> None:
    handler = registered(function, name="given")
    assert handler.name == "given"
    assert handler.signature.form is form
    assert handler.signature.injected == {"db": Session}
