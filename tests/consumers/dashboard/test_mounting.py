"""What docs/dashboard.md shows of mounting is run as it is written."""

from __future__ import annotations

import asyncio
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from consumers.dashboard.visiting import Visitor, problem
from consumers.pipeline import Placed, known
from oyez.consumers import Application, Handlers

TEXT = (Path(__file__).parents[3] / "docs" / "dashboard.md").read_text()
handlers = Handlers("shop")


@handlers(Placed)
def place(_event: Placed) -> None:
    pass


@dataclass
class User:
    name: str
    is_staff: bool
    is_operator: bool


class SignedIn:
    """A middleware that has found somebody."""

    def __init__(self, app: ASGIApp, user: User | None) -> None:
        self._app = app
        self._user = user

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._user is not None:
            scope["user"] = self._user
        await self._app(scope, receive, send)


def mounted(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the document's lines have made."""
    (block,) = re.findall(r"```python\n(from contextlib.*?dashboard\(.*?)```", TEXT, re.DOTALL)
    shop: Any = ModuleType("shop")
    shop.on = Application(handlers, known)
    monkeypatch.setitem(sys.modules, "shop", shop)
    names: dict[str, Any] = {}
    exec(block, names)  # it is our own document
    return names


@pytest.mark.parametrize(
    ("user", "status", "words"),
    [
        (None, 403, "access="),
        (User("eve", is_staff=False, is_operator=True), 403, "access="),
        (User("ada", is_staff=True, is_operator=False), 200, "read-only"),
        (User("bob", is_staff=True, is_operator=True), 200, "as bob"),
    ],
)
def test_mounted_as_it_is_shown(
    pipeline_sqlite: str, user: User | None, status: int, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OYEZ_DATABASE", pipeline_sqlite)
    monkeypatch.setenv("OYEZ_TRANSPORT", "memory")
    names = mounted(monkeypatch)
    client = Visitor(SignedIn(names["app"], user))
    response = client.get("/oyez/")
    assert response.status_code == status
    assert words in response.text
    problem(client.send("/oyez/parked/discard"), 403, "nothing was done" if status == 200 else words)


def test_the_lifespan_that_is_shown_ends_what_is_under_way(
    pipeline_sqlite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OYEZ_DATABASE", pipeline_sqlite)
    monkeypatch.setenv("OYEZ_TRANSPORT", "memory")
    names = mounted(monkeypatch)
    changes = names["board"].state.board.changes

    async def server() -> None:
        async with names["app"].router.lifespan_context(names["app"]):
            assert not changes.is_over

    asyncio.run(server())
    assert changes.is_over
