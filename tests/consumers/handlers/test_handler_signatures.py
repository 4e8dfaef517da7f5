"""The parameters of handlers: what is read, what is injected, and what is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Optional, Union

import pytest
from sqlalchemy import Connection
from sqlalchemy.orm import Session

from consumers.handlers.registering import injected, refused, registered, takes_either, takes_model
from consumers.pipeline import Known, Opened, Placed, Viewed
from oyez.consumers.handlers.signature import Form
from oyez.schemas import Event

if TYPE_CHECKING:
    from decimal import Decimal


def takes_event(event: Event[Placed]) -> None: ...
def takes_models(events: list[Placed]) -> None: ...
def takes_events(events: list[Event[Placed]]) -> None: ...


@pytest.mark.parametrize(
    ("function", "form"),
    [
        (takes_model, Form.MODEL),
        (takes_event, Form.EVENT),
        (takes_models, Form.MODELS),
        (takes_events, Form.EVENTS),
    ],
)
def test_the_four_forms(function: Callable[..., None], form: Form) -> None:
    handler = registered(function)
    assert handler.signature.form is form
    assert handler.name == function.__name__
    assert handler.group == "shop.placed"


def takes_base(event: Known) -> None: ...
def takes_anything(event: Any) -> None: ...
def takes_union(event: Union[Placed, Opened]) -> None: ...  # noqa: UP007
def takes_some_events(events: list[Event[Placed | Opened]]) -> None: ...
def takes_unsaid(event): ...  # type: ignore[no-untyped-def]
def takes_any_event(event: Event[Any]) -> None: ...
def takes_bare_event(event: Event) -> None: ...  # type: ignore[type-arg]
def takes_optional(event: Optional[Placed]) -> None: ...  # noqa: UP045


@pytest.mark.parametrize(
    ("function", "form"),
    [
        (takes_base, Form.MODEL),
        (takes_anything, Form.MODEL),
        (takes_either, Form.MODEL),
        (takes_union, Form.MODEL),
        (takes_optional, Form.MODEL),
        (takes_some_events, Form.EVENTS),
        (takes_unsaid, Form.MODEL),
        (takes_any_event, Form.EVENT),
        (takes_bare_event, Form.EVENT),
    ],
)
def test_wider_annotations_fit_too(function: Callable[..., None], form: Form) -> None:
    assert registered(function).signature.form is form


def takes_other(event: Opened) -> None: ...
def takes_other_event(event: Event[Opened]) -> None: ...
def takes_other_list(events: list[Opened]) -> None: ...
def takes_other_union(event: Opened | Viewed) -> None: ...
def takes_text(event: str) -> None: ...
def takes_bare_list(events: list) -> None: ...  # type: ignore[type-arg]
def takes_tuple(events: tuple[Placed, ...]) -> None: ...
def takes_iterator(events: Iterator[Placed]) -> None: ...


@pytest.mark.parametrize(
    "function",
    [
        takes_other,
        takes_other_event,
        takes_other_list,
        takes_other_union,
        takes_text,
        takes_bare_list,
        takes_tuple,
        takes_iterator,
    ],
)
def test_another_first_parameter_is_refused(function: Callable[..., None]) -> None:
    refused(
        function, f"test_handler_signatures.{function.__name__}", "Placed, Event[Placed] or a list of either"
    )


def takes_nothing() -> None: ...
def takes_stars(*events: Placed) -> None: ...
def takes_keyword(*, event: Placed) -> None: ...
def takes_keywords(**events: Placed) -> None: ...


@pytest.mark.parametrize("function", [takes_nothing, takes_stars, takes_keyword, takes_keywords])
def test_the_event_is_the_first_positional_parameter(function: Callable[..., None]) -> None:
    refused(function, function.__name__, "first parameter")


def injected_by_keyword(event: Placed, *, db: Session) -> None: ...
def with_defaults(event: Placed, db: Connection, limit: int = 3, *, again: bool = False) -> None: ...
def with_default_session(event: Placed, db: Session | None = None) -> None: ...


@pytest.mark.parametrize(
    ("function", "names"),
    [
        (injected, {"db": Session, "other": Connection}),
        (injected_by_keyword, {"db": Session}),
        (with_defaults, {"db": Connection}),
        (with_default_session, {}),
        (takes_model, {}),
    ],
)
def test_what_is_injected(function: Callable[..., None], names: dict[str, type]) -> None:
    handler = registered(function)
    assert handler.signature.injected == names
    assert handler.uses_database == bool(names)


def test_annotations_may_be_objects_or_texts() -> None:
    def spoken(event, db): ...  # type: ignore[no-untyped-def]

    spoken.__annotations__ = {"event": list[Placed], "db": Session}
    assert registered(spoken).signature.form is Form.MODELS
    spoken.__annotations__ = {"event": "list[Placed]", "db": "Session"}
    assert registered(spoken).signature.injected == {"db": Session}


def strange(event: Placed, size: int) -> None: ...
def unsaid(event: Placed, db) -> None: ...  # type: ignore[no-untyped-def]
def starred(event: Placed, *rest: Session) -> None: ...
def spread(event: Placed, **rest: Session) -> None: ...
def positional(event: Placed, db: Session, /) -> None: ...


@pytest.mark.parametrize("function", [strange, unsaid, starred, spread, positional])
def test_what_cannot_be_injected(function: Callable[..., None]) -> None:
    refused(function, function.__name__, "cannot be injected")


def only_for_types(event: Placed, price: Decimal) -> None: ...
def misspelt(event: "Plcaed") -> None: ...  # type: ignore[name-defined]  # noqa: F821, UP037
def unreadable(event: "Placed[") -> None: ...  # type: ignore[valid-type]  # noqa: F722


@pytest.mark.parametrize("function", [only_for_types, misspelt, unreadable])
def test_annotations_that_cannot_be_read(function: Callable[..., None]) -> None:
    refused(function, function.__name__, "cannot be read")
