"""The registry: what may be a handler, what is refused, and what registration says."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, Any, Optional, Union

import pytest
from sqlalchemy import Connection
from sqlalchemy.orm import Session

from consumers.stage import Known, Opened, Placed, Ticked, Viewed, one_line
from oyez.consumers import Handlers, RegistrationError
from oyez.consumers.handlers import Handler
from oyez.consumers.signature import Form
from oyez.schemas import Event, SchemaError, Signal

if TYPE_CHECKING:
    from decimal import Decimal


def registered(function: Callable[..., Any], signal: type[Signal] = Placed, **options: Any) -> Handler:
    on = Handlers("shop")
    decorator: Any = on(signal, **options)
    assert decorator(function) is function
    return next(iter(on))


def refused(function: Callable[..., Any], *parts: str, signal: type[Signal] = Placed, **options: Any) -> str:
    with pytest.raises(RegistrationError) as caught:
        registered(function, signal, **options)
    return one_line(caught.value, *parts)


def takes_model(event: Placed) -> None: ...
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
def takes_either(event: Placed | Opened) -> None: ...
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
    refused(function, f"test_handlers.{function.__name__}", "Placed, Event[Placed] or a list of either")


def takes_nothing() -> None: ...
def takes_stars(*events: Placed) -> None: ...
def takes_keyword(*, event: Placed) -> None: ...
def takes_keywords(**events: Placed) -> None: ...


@pytest.mark.parametrize("function", [takes_nothing, takes_stars, takes_keyword, takes_keywords])
def test_the_event_is_the_first_positional_parameter(function: Callable[..., None]) -> None:
    refused(function, function.__name__, "first parameter")


def injected(event: Placed, db: Session, other: Connection) -> None: ...
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
        async_generator,
        adapted(coroutine),
        turned(takes_model),
        functools.partial(coroutine),
        Callables().slow,
        Slow(),
    ],
)
def test_coroutines_are_refused(function: Callable[..., None]) -> None:
    refused(function, "coroutine handlers are not supported", "write a plain def", name="given")


@pytest.mark.parametrize("function", [generator, adapted(generator), functools.partial(generator)])
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


def test_two_handlers_of_one_name() -> None:
    on = Handlers("shop")
    on(Placed)(takes_model)
    with pytest.raises(RegistrationError) as caught:
        on(Placed)(takes_model)
    one_line(caught.value, "shop has two handlers named takes_model", "test_handlers.takes_model", "name=")
    on(Placed, name="another")(takes_model)
    assert [handler.name for handler in on] == ["takes_model", "another"]


def test_one_function_for_two_signals() -> None:
    on = Handlers("shop")
    on(Placed)(takes_either)
    decorate: Any = on(Opened, name="opened")
    decorate(takes_either)
    assert [handler.group for handler in on] == ["shop.placed", "shop.opened"]


def test_unknown_order() -> None:
    refused(takes_model, "takes_model", "order is 'random'", "'key' or 'none'", order="random")


def test_requires_is_the_signals_unless_the_handler_says() -> None:
    def viewed(event: Viewed) -> None: ...

    viewed.__annotations__ = {}
    assert dict(registered(viewed, Viewed).requires) == {"opened": "s"}
    assert dict(registered(viewed, Viewed, requires={}).requires) == {}
    assert dict(registered(viewed, Viewed, requires={Opened: "k"}).requires) == {"opened": "k"}
    assert dict(registered(viewed, Viewed, requires={"opened": "k"}).requires) == {"opened": "k"}


@pytest.mark.parametrize(
    ("requires", "parts"),
    [
        ({Opened: "nowhere"}, ("'nowhere'", "does not exist", "k, n")),
        ({Opened: 3}, ("3",)),
        ({Opened: None}, ("None",)),
        ({Ticked: "n"}, ("'ticked'", "no subject")),
        ({str: "n"}, ("str",)),
        ([Opened], ("requires",)),
        ({"no name!": "n"}, ("no name!",)),
    ],
)
def test_wrong_requires(requires: Any, parts: tuple[str, ...]) -> None:
    on = Handlers("shop")
    with pytest.raises((RegistrationError, SchemaError)) as caught:
        on(Placed, requires=requires)(takes_model)
    one_line(caught.value, "takes_model", *parts)
    assert list(on) == []


def test_a_handler_that_requires_its_own_event() -> None:
    def answer(event: Opened) -> None: ...

    answer.__annotations__ = {}
    refused(answer, "answer", "own subject", "'s'", signal=Opened, requires={Opened: "s"})
    assert dict(registered(answer, Opened, requires={Opened: "k"}).requires) == {"opened": "k"}


@pytest.mark.parametrize("app", ["", "a.b", " a", "a b", "a\n", "ü/ö", "x" * 201, None, 3])
def test_bad_application_names(app: Any) -> None:
    with pytest.raises(RegistrationError) as caught:
        Handlers(app)
    one_line(caught.value, "Handlers(", "letters")


@pytest.mark.parametrize("app", ["shop", "Shop-2", "the_shop"])
def test_good_application_names(app: str) -> None:
    assert Handlers(app).app == app


@pytest.mark.parametrize("option", ["name", "group"])
@pytest.mark.parametrize("value", ["", "a b", "a\n", "x" * 201, 3])
def test_bad_handler_and_group_names(option: str, value: Any) -> None:
    refused(takes_model, "takes_model", f"{option}={value!r}", "letters", **{option: value})


def test_groups_and_promises() -> None:
    on = Handlers("shop", promises={"visits": "at-least-once"})
    on(Placed, group="visits")(takes_model)
    on(Placed, name="exact")(takes_model)
    loose, exact = on
    assert (loose.group, on.promise_of(loose.group), loose.completes, loose.ordered) == (
        "shop.visits",
        "at-least-once",
        False,
        False,
    )
    assert (exact.group, on.promise_of(exact.group), exact.completes, exact.ordered) == (
        "shop.placed",
        "exactly-once",
        True,
        True,
    )


def test_an_unknown_promise() -> None:
    promises: Any = {"visits": "perhaps"}
    with pytest.raises(RegistrationError) as caught:
        Handlers("shop", promises=promises)
    one_line(caught.value, "visits", "'perhaps'", "'exactly-once' or 'at-least-once'")


class Abstract(Signal):
    n: int


@pytest.mark.parametrize("signal", [Abstract, Signal, str, "placed", 3, None])
def test_what_is_no_signal(signal: Any) -> None:
    on = Handlers("shop")
    with pytest.raises(RegistrationError) as caught:
        on(signal)(takes_model)
    one_line(caught.value, "@on(", "that is no signal", "name=")
