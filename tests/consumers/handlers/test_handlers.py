"""The registry: names, groups, promises, and what a handler requires."""

from __future__ import annotations

from typing import Any

import pytest

from consumers.handlers.registering import refused, registered, takes_either, takes_model
from consumers.pipeline import Opened, Placed, Ticked, Viewed, one_line
from oyez.consumers import Handlers, RegistrationError
from oyez.schemas import SchemaError, Signal


def test_two_handlers_of_one_name() -> None:
    on = Handlers("shop")
    on(Placed)(takes_model)
    with pytest.raises(RegistrationError) as caught:
        on(Placed)(takes_model)
    one_line(caught.value, "shop has two handlers named takes_model", "registering.takes_model", "name=")
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
    at_least_once, exact = on
    assert (
        at_least_once.group,
        on.promise_of(at_least_once.group),
        at_least_once.completes,
        at_least_once.ordered,
    ) == (
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


@pytest.mark.parametrize("signal", [Abstract, Signal, str, "placed", 3, None])
def test_it_is_refused_at_once(signal: Any) -> None:
    """Whoever forgets the brackets decorates nothing, and would never hear of it."""
    with pytest.raises(RegistrationError):
        Handlers("shop")(signal)


@pytest.mark.parametrize("name", ["on", "on.met_by"])
def test_on_without_its_signal(name: str) -> None:
    on: Any = Handlers("shop")
    with pytest.raises(RegistrationError) as caught:
        (on if name == "on" else on.met_by)(takes_model)
    one_line(caught.value, "takes_model: ", f"write @{name}(X)", "class X(Signal, name=…)")


def test_a_handler_takes_one_signal() -> None:
    on: Any = Handlers("shop")
    with pytest.raises(RegistrationError) as caught:
        on(Placed, Opened, name="both")
    one_line(
        caught.value,
        "on(Placed, Opened)",
        "takes one signal",
        "once for each",
        "on(Opened, name=…)(function)",
    )
