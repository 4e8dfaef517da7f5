"""Tools of the user's own: a handler gets any subclass of `Tool` by annotation."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import pytest
from sqlalchemy import Connection
from sqlalchemy.orm import Session

from consumers.handlers.registering import refused, registered
from consumers.pipeline import Pipeline, Placed, Play, note, placed
from oyez.consumers import HandlerAnnouncer, Handlers, Tool
from oyez.schemas import Event


class Ledger(Tool):
    """All that a tool has to be."""

    def book(self, n: int) -> None:
        note(self.db, f"{self.context.app}/{self.handler}", n)


class Counting(Tool):
    """Writes at the end of a batch how many events it was given."""

    events = 0

    def begin(self, events: Sequence[Event[Any]], cause: Event[Any] | None) -> None:
        self.events += len(events)

    def finish(self) -> None:
        note(self.db, self.handler, self.events)


class Picky(Tool):
    @classmethod
    def refusal(cls, app: str, handler: str) -> str | None:
        return f"{app} has no ledger; give {handler} another tool"


class Unfinished(Tool, ABC):
    @abstractmethod
    def book(self) -> None: ...


def test_a_tool_writes_in_the_transaction_of_its_handler(play: Play) -> None:
    on = Handlers("shop")
    failures = [ValueError("after booking"), ValueError("and again")]

    @on(Placed)
    def book(event: Placed, ledger: Ledger) -> None:
        ledger.book(event.n)
        if event.n == 1 and failures:
            raise failures.pop()

    pipeline: Pipeline = play(on)
    pipeline.handle(*placed(range(3)))
    assert pipeline.effects("shop/book") == [0, 2]
    pipeline.later()
    assert pipeline.effects("shop/book") == [0, 2, 1]


@pytest.mark.parametrize("form", [Placed, list[Placed]])
def test_a_tool_is_told_of_the_events_and_of_the_end(play: Play, form: Any) -> None:
    on = Handlers("shop")

    def count(_events: Any, counting: Counting) -> None: ...

    count.__annotations__["_events"] = form
    on(Placed)(count)
    pipeline = play(on)
    pipeline.handle(*placed(range(3)))
    assert sum(pipeline.effects("count")) == 3


def test_a_handler_may_have_several(play: Play) -> None:
    on = Handlers("shop")

    @on(Placed)
    def book(event: Placed, db: Session, ledger: Ledger, counting: Counting, a: HandlerAnnouncer) -> None:
        note(db, "session", event.n)
        ledger.book(event.n + 10)

    pipeline = play(on)
    pipeline.handle(*placed([4]))
    assert pipeline.effects("session") == [4]
    assert pipeline.effects("shop/book") == [14]
    assert pipeline.effects("book") == [1]


def takes_ledger(event: Placed, ledger: Ledger, db: Connection) -> None: ...
def takes_any(event: Placed, tool: Tool) -> None: ...
def takes_unfinished(event: Placed, tool: Unfinished) -> None: ...
def takes_picky(event: Placed, tool: Picky) -> None: ...


def test_a_tool_counts_as_a_database_parameter() -> None:
    handler = registered(takes_ledger)
    assert handler.signature.injected == {"ledger": Ledger, "db": Connection}
    assert handler.uses_database
    assert handler.wants_events


@pytest.mark.parametrize("function", [takes_any, takes_unfinished])
def test_what_is_no_tool_yet(function: Callable[..., None]) -> None:
    refused(function, function.__name__, "cannot be injected", "a tool such as")


def test_a_tool_may_refuse_a_handler() -> None:
    refused(takes_picky, "takes_picky", "shop has no ledger", "another tool")


class Held(Tool):
    heard: ClassVar[list[str]] = []

    def begin(self, events: Sequence[Event[Any]], cause: Event[Any] | None) -> None:
        self.heard.append("begin")

    def finish(self) -> None:
        self.heard.append("finish")

    def end(self) -> None:
        self.heard.append("end")


def test_a_tool_hears_of_the_end_whatever_came_of_it(play: Play) -> None:
    on = Handlers("shop")
    Held.heard.clear()

    @on(Placed)
    def book(event: Placed, held: Held) -> None:
        if event.n == 1:
            raise ValueError("broken")

    pipeline: Pipeline = play(on)
    pipeline.handle(*placed([0]))
    assert Held.heard == ["begin", "finish", "end"]
    Held.heard.clear()
    pipeline.handle(*placed([1]))
    assert Held.heard == ["begin", "end"] * (len(Held.heard) // 2)
    assert Held.heard


class Calling(Tool):
    called: ClassVar[list[int]] = []

    def begin(self, events: Sequence[Event[Any]], cause: Event[Any] | None) -> None:
        self.numbers = [event.data.n for event in events]

    def finish(self) -> None:
        self.db.after_commit.add(lambda: self.called.extend(self.numbers))


def test_a_tool_may_have_something_called_after_the_commit(play: Play) -> None:
    """And not if what was done since is undone, alone or in a part of a batch."""
    on = Handlers("shop")
    Calling.called.clear()

    @on(Placed, order="none")
    def book(events: list[Placed], calling: Calling) -> None:
        if any(event.n % 5 == 0 for event in events):
            raise ValueError("five")

    @on(Placed, order="none")
    def swallow(events: list[Placed], calling: Calling, db: Session) -> None:
        """It fails behind `finish`, when the session is looked at."""
        if any(event.n % 5 == 1 for event in events):
            db.begin_nested()

    pipeline: Pipeline = play(on)
    pipeline.handle(*placed(range(12)))
    assert sorted(pipeline.rows("parked", "handler")) == ["book"] * 3 + ["swallow"] * 3
    done = [n for n in range(12) if n % 5] + [n for n in range(12) if n % 5 != 1]
    assert sorted(Calling.called) == sorted(done)
