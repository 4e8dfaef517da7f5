"""Each form of handler, and what is no handler of its signal."""

from collections.abc import Callable
from typing import assert_type

from signals import PageViewed, SessionStarted
from sqlalchemy import Connection
from sqlalchemy.orm import Session

from oyez.consumers import Attachment, Handlers, Mail, NotReady, Reject
from oyez.schemas import Event

on = Handlers("shop", promises={"visits": "at-least-once"})


@on(PageViewed)
def count_view(view: PageViewed, db: Session) -> None:
    assert_type(view.url, str)


@on(PageViewed, requires={}, order="none")
def index_views(views: list[PageViewed], db: Connection) -> None: ...


@on(PageViewed, name="envelope", group="visits")
def see_envelope(event: Event[PageViewed]) -> None:
    assert_type(event.data, PageViewed)


@on(PageViewed, requires={SessionStarted: "session_id"}, completes=False)
def see_envelopes(events: list[Event[PageViewed]], db: Session, other: Connection) -> None: ...


@on(SessionStarted)
def welcome(start: SessionStarted, mail: Mail) -> None:
    sent = mail.send(
        to=["a@b.example"], subject="hello", text="hello", attachments=[Attachment("a.txt", b"a")]
    )
    assert_type(sent, str)


@on(SessionStarted)
def refuse(start: SessionStarted) -> None:
    if start.visitor_id == "late":
        raise NotReady(SessionStarted, start.session_id)
    raise Reject("why")


still_callable: Callable[[PageViewed, Session], None] = count_view


@on(PageViewed)  # type: ignore[arg-type]  # another signal's event
def another(start: SessionStarted) -> None: ...


@on(PageViewed)  # type: ignore[arg-type]  # a batch of another signal's events
def another_batch(starts: list[SessionStarted]) -> None: ...


@on(str)  # type: ignore[type-var]  # no signal at all
def no_signal(text: str) -> None: ...


@on(PageViewed, SessionStarted)  # type: ignore[arg-type]  # one signal
def several(view: PageViewed) -> None: ...


def of_either(event: PageViewed | SessionStarted, db: Session) -> None: ...


on(PageViewed, name="of_view")(of_either)
on(SessionStarted, name="of_start")(of_either)


@on(PageViewed, order="random")  # type: ignore[arg-type]  # no such order
def disorderly(view: PageViewed) -> None: ...


Handlers("shop", promises={"visits": "perhaps"})  # type: ignore[dict-item]  # no such promise
