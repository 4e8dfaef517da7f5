"""Handlers in other shapes, and what is refused of them."""

import functools
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any, assert_type

from signals import PageViewed, SessionStarted
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from oyez.consumers import Application, HandlerAnnouncer, Handlers
from oyez.schemas import Event, Signal

on = Handlers("shop")


@on(PageViewed)
def by_model(view: PageViewed, db: Session) -> None: ...


@on(PageViewed)
def by_event(event: Event[PageViewed], *, db: Connection) -> None: ...


@on(PageViewed)
def announcing(view: PageViewed, announcer: HandlerAnnouncer) -> None:
    assert_type(announcer.announce(SessionStarted(session_id="s1", visitor_id="v1"), cause=view), str)


@on(PageViewed)
def by_models(views: list[PageViewed]) -> None: ...


@on(PageViewed)
def by_events(events: list[Event[PageViewed]], limit: int = 3) -> None: ...


def as_they_were(view: PageViewed, event: Event[PageViewed], session: Session, db: Connection) -> None:
    by_model(view, session)
    by_model(view, db=session)
    by_event(event, db=db)
    by_models([view, view])
    by_events([event])
    by_events([event], limit=5)
    assert_type(by_model(view, session), None)
    by_model(view)  # type: ignore[call-arg]  # its session is missing
    by_model(event, session)  # type: ignore[arg-type]  # it takes the model
    by_event(view, db=db)  # type: ignore[arg-type]  # it takes the envelope
    by_models(view)  # type: ignore[arg-type]  # it takes a list
    by_events([view])  # type: ignore[list-item]  # it takes a list of envelopes


@on(PageViewed)
def any_signal(event: Signal) -> None: ...


def either(event: PageViewed | SessionStarted) -> None: ...


on(PageViewed, name="either-view")(either)
on(SessionStarted, name="either-start")(either)


class Counter:
    def view(self, view: PageViewed, db: Session) -> None: ...

    def __call__(self, start: SessionStarted) -> None: ...


on(PageViewed)(Counter().view)
on(SessionStarted, name="starts")(Counter())


def limited(limit: int, views: list[PageViewed], db: Session) -> None: ...


on(PageViewed, name="limited")(functools.partial(limited, 3))


@on(PageViewed)  # type: ignore[arg-type]  # another signal's envelope
def other_event(event: Event[SessionStarted]) -> None: ...


@on(PageViewed)  # type: ignore[arg-type]  # a batch of another signal's envelopes
def other_events(events: list[Event[SessionStarted]]) -> None: ...


@on(PageViewed)  # type: ignore[arg-type]  # no event at all
def no_event() -> None: ...


@on(PageViewed)  # type: ignore[arg-type]  # the session is no event
def no_model(db: Session) -> None: ...


@on(PageViewed)  # type: ignore[arg-type]  # a tuple is no batch
def by_tuple(views: tuple[PageViewed, ...]) -> None: ...


@on(PageViewed)
async def coroutine(view: PageViewed) -> None: ...


@on(PageViewed, concurrency=50, timeout=10)
async def coroutine_of_event(event: Event[PageViewed], db: AsyncSession) -> None: ...


@on(PageViewed, concurrency=50, timeout=0.5)
def in_lanes(event: Event[PageViewed], db: Session) -> None: ...


unchanged: Callable[[PageViewed], Coroutine[Any, Any, None]] = coroutine


@on(PageViewed)  # type: ignore[arg-type]  # a coroutine takes one event
async def coroutine_of_batch(views: list[PageViewed]) -> None: ...


@on(PageViewed)  # type: ignore[arg-type]  # generators are not supported
def generator(view: PageViewed) -> Iterator[int]:
    yield 1


@on(PageViewed)  # type: ignore[arg-type]  # of either kind
async def async_generator(view: PageViewed) -> AsyncIterator[int]:
    yield 1


@on(PageViewed)  # type: ignore[arg-type]  # an outcome is raised, never returned
def returns(view: PageViewed) -> bool:
    return True


on(PageViewed, requires={SessionStarted: 3})  # type: ignore[dict-item]  # a field's name is text
on(PageViewed, requires=[SessionStarted])  # type: ignore[arg-type]  # a mapping, not a list
on(PageViewed, completes="no")  # type: ignore[arg-type]  # true or false
on("page.viewed")  # type: ignore[arg-type]  # the class, not its name
Handlers(3)  # type: ignore[arg-type]  # names are text

untyped: Callable[..., Any] = by_model
on(PageViewed, name="untyped")(untyped)
assert_type(Application(on).name, str)
