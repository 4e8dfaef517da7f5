"""What a page is, and what else there may be at an address."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from starlette.responses import Response

from .access import Action
from .asked import Asked

Answer = Mapping[str, object] | Response
"""What a template is given by name, or the response itself."""


@dataclass(frozen=True)
class Page:
    """A page that is read. ``path`` is a pattern of Starlette's; ``question`` is called in a thread, with a request of
    somebody who may read; ``navigation`` is what it is called in the navigation, if it stands there."""

    path: str
    title: str
    template: str
    question: Callable[[Asked], Answer]
    navigation: str | None = None
    is_live: bool = True
    """Whether it is fetched again when something has changed. What somebody is to confirm stays as it was read."""


@dataclass(frozen=True)
class Form:
    """What is posted, by somebody who may do ``action``; None: who may do anything at all. ``post`` is called in a
    thread; it redirects to a page, or gives what ``template`` shows."""

    path: str
    title: str
    action: Action | None
    post: Callable[[Asked], Answer]
    template: str = "confirm.html"


@dataclass(frozen=True)
class Stream:
    """What is sent bit by bit to somebody who may read. ``answer`` is called in the event loop: it may not ask the
    database there."""

    path: str
    answer: Callable[[Asked], Awaitable[Response]]


Place = Page | Form | Stream
