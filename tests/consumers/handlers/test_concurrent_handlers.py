"""Handlers that run in lanes: what they may ask for."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlalchemy.orm import Session

from consumers.handlers.registering import refused, registered, takes_model
from consumers.pipeline import Placed
from oyez.consumers import HandlerAnnouncer, Mail
from oyez.consumers.handlers.options import MOST_LANES
from oyez.schemas import Event


async def awaited(event: Placed) -> None: ...
async def with_session(event: Event[Placed], db: AsyncSession, mail: Mail) -> None: ...
async def with_connection(event: Placed, db: AsyncConnection, announcer: HandlerAnnouncer) -> None: ...
async def of_many(events: list[Placed]) -> None: ...
def many(events: list[Placed]) -> None: ...
async def with_plain_session(event: Placed, db: Session) -> None: ...
async def with_plain_connection(event: Placed, db: Connection) -> None: ...
def with_async_session(event: Placed, db: AsyncSession) -> None: ...
def with_async_connection(event: Placed, db: AsyncConnection) -> None: ...


def test_as_many_as_asked_for() -> None:
    assert registered(takes_model, concurrency=50, timeout=10).concurrency == 50
    assert registered(takes_model, concurrency=50, timeout=10).timeout == 10.0
    assert registered(awaited, concurrency=3).concurrency == 3
    assert registered(awaited, timeout=0.5).timeout == 0.5


def test_what_is_injected() -> None:
    assert registered(with_session).signature.injected == {"db": AsyncSession, "mail": Mail}
    assert registered(with_connection).signature.injected == {
        "db": AsyncConnection,
        "announcer": HandlerAnnouncer,
    }
    assert registered(with_connection).uses_database


@pytest.mark.parametrize("concurrency", [0, -1, True, 1.5, "many", MOST_LANES + 1])
def test_other_numbers_of_lanes_are_refused(concurrency: Any) -> None:
    refused(takes_model, f"concurrency is {concurrency!r}", "from 1 to", concurrency=concurrency)


@pytest.mark.parametrize("timeout", [0, -1, True, "long", float("nan"), float("inf")])
def test_other_timeouts_are_refused(timeout: Any) -> None:
    refused(takes_model, f"timeout is {timeout!r}", "more than 0", concurrency=2, timeout=timeout)


def test_a_timeout_is_for_lanes() -> None:
    refused(takes_model, "timeout=", "concurrency=", timeout=3)


def test_lanes_take_single_events() -> None:
    refused(of_many, "a list of models", "takes one event")
    refused(many, "a list of models", "takes one event", concurrency=3)


def test_who_awaits_gets_what_is_awaited() -> None:
    refused(with_plain_session, "parameter db is Session", "AsyncSession")
    refused(with_plain_connection, "parameter db is Connection", "AsyncConnection")
    refused(with_async_session, "parameter db is AsyncSession", "annotate it Session")
    refused(with_async_connection, "parameter db is AsyncConnection", "annotate it Connection")
