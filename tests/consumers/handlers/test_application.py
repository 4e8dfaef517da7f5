"""What an application is refused for at its start: each with the path and the way out."""

from __future__ import annotations

from typing import Any

import pytest

from consumers.pipeline import Opened, Placed, Ticked, Viewed, known, one_line
from oyez.consumers import Application, Handlers, StartError
from oyez.schemas import Catalogue, Signal


def started(on: Handlers, signals: Catalogue = known) -> Application:
    return Application(on, signals)


def refused(on: Handlers, *parts: str, signals: Catalogue = known) -> str:
    with pytest.raises(StartError) as caught:
        started(on, signals)
    return one_line(caught.value, *parts)


def add(on: Handlers, signal: type[Signal], name: str, **options: Any) -> None:
    def handle(event: Any) -> None: ...

    on(signal, name=name, **options)(handle)


def shop(**promises: Any) -> Handlers:
    return Handlers("shop", promises=promises)


def test_no_handlers() -> None:
    refused(
        shop(),
        "shop has no handlers",
        "@on(",
        "import the modules in which handlers are where `on` is",
        "--app",
    )


def test_a_required_signal_that_nobody_handles() -> None:
    on = shop()
    add(on, Viewed, "view")
    refused(
        on,
        "view (viewed) requires opened",
        "shop does not handle",
        "register a handler for opened",
        "requires={}",
    )


def test_nothing_is_missing_when_the_handler_waits_for_nothing() -> None:
    on = shop()
    add(on, Viewed, "view", requires={})
    assert list(started(on).groups) == ["shop.viewed"]


def test_only_handlers_that_do_not_complete() -> None:
    on = shop()
    add(on, Viewed, "view")
    add(on, Opened, "award", completes=False)
    add(on, Opened, "index", completes=False)
    refused(on, "view (viewed) requires opened", "completes=False", "award, index", "requires={}")
    add(on, Opened, "open")
    assert started(on).groups["shop.opened"].completing == {"opened": {"open"}}


def test_only_at_least_once_groups() -> None:
    on = shop(opened="at-least-once")
    add(on, Viewed, "view")
    add(on, Opened, "open")
    refused(
        on,
        "view (viewed) requires opened",
        "only at-least-once groups handle",
        "make shop.opened exactly-once",
        "requires={}",
    )
    add(on, Opened, "really", group="exact")
    started(on)


def test_one_at_least_once_group_and_one_that_does_not_complete() -> None:
    on = shop(at_least_once="at-least-once")
    add(on, Viewed, "view")
    add(on, Opened, "loosely", group="at_least_once")
    add(on, Opened, "award", completes=False)
    refused(on, "view (viewed) requires opened", "nothing would ever meet it", "award", "requires={}")


def test_several_completing_groups() -> None:
    on = shop()
    add(on, Opened, "one", group="left")
    add(on, Opened, "two", group="right")
    refused(on, "opened is completed by", "shop.left, shop.right", "one group=", "completes=False")


def test_several_groups_of_which_one_completes() -> None:
    on = shop(at_least_once="at-least-once")
    add(on, Opened, "one", group="left")
    add(on, Opened, "two", group="right", completes=False)
    add(on, Opened, "three", group="at_least_once")
    assert {name: group.completing["opened"] for name, group in started(on).groups.items()} == {
        "shop.left": {"one"},
        "shop.right": frozenset(),
        "shop.at_least_once": frozenset(),
    }


def test_groups_of_a_signal_without_a_subject_need_not_agree() -> None:
    on = shop()
    add(on, Placed, "one", group="left")
    add(on, Placed, "two", group="right")
    started(on)


crossed = Catalogue()


class A(Signal, name="a", subject="s", catalogue=crossed):
    s: str
    t: str


class B(Signal, name="b", subject="s", catalogue=crossed):
    s: str
    t: str


class C(Signal, name="c", subject="s", catalogue=crossed):
    s: str
    t: str


def test_a_cycle_of_handlers() -> None:
    on = shop()
    add(on, A, "first", requires={B: "t"})
    add(on, B, "second", requires={C: "t"})
    add(on, C, "third", requires={A: "t"})
    refused(on, "a -> b -> c -> a", "requires={}", "completes=False", signals=crossed)


def test_a_cycle_through_a_handler_that_completes_nothing_is_none() -> None:
    on = shop()
    add(on, A, "first", requires={B: "t"})
    add(on, B, "second")
    add(on, B, "late", requires={A: "t"}, completes=False)
    started(on, crossed)


def test_a_signal_may_require_itself_by_another_subject() -> None:
    on = shop()
    add(on, A, "first", requires={A: "t"})
    started(on, crossed)


def test_a_required_signal_without_subject_or_that_is_not_declared() -> None:
    on = shop()
    add(on, Placed, "place", requires={"ticked": "k"})
    add(on, Ticked, "tick")
    refused(on, "place (placed) requires ticked", "no subject", "subject=")
    on = shop()
    add(on, Placed, "place", requires={"opend": "k"})
    refused(on, "place (placed) requires opend", "did you mean opened")


def test_at_least_once_cannot_wait() -> None:
    on = shop(viewed="at-least-once")
    add(on, Opened, "open")
    add(on, Viewed, "view")
    refused(on, "view: its group shop.viewed is at-least-once", "cannot wait for opened", "requires={}")


def test_at_least_once_cannot_keep_order() -> None:
    on = shop(placed="at-least-once")
    add(on, Placed, "place", order="key")
    refused(on, "place: its group shop.placed is at-least-once", "order='key'", "order='none'")


def test_order_needs_a_key() -> None:
    on = shop()
    add(on, Ticked, "tick", order="key")
    refused(on, "tick: order='key'", "ticked declares no key", "order='none'")


def test_without_a_key_there_is_no_order() -> None:
    on = shop()
    add(on, Ticked, "tick")
    assert [handler.ordered for handler in started(on).handlers] == [False]


def test_a_promise_for_a_group_that_is_not_there() -> None:
    on = shop(visits="at-least-once")
    add(on, Placed, "place")
    refused(on, "shop promises", "shop.visits", "no handler", "shop.placed")


def test_groups_by_full_and_short_name() -> None:
    on = shop()
    add(on, Placed, "place")
    add(on, Ticked, "tick", group="clock")
    app = started(on)
    assert app.group("clock") is app.group("shop.clock") is app.groups["shop.clock"]
    with pytest.raises(StartError) as caught:
        app.group("cloak")
    one_line(caught.value, "shop has no group cloak", "shop.placed, shop.clock")
    assert app.of_signal("ticked") == [app.group("clock")]
    assert app.of_signal("clock") == []


def test_a_cycle_among_the_signals_themselves_is_refused_too() -> None:
    circular = Catalogue()

    class Base(Signal, catalogue=circular):
        s: str

    class Egg(Base, name="egg", subject="s", requires={"hen": "s"}):
        pass

    class Hen(Base, name="hen", subject="s", requires={"egg": "s"}):
        pass

    on = shop()
    add(on, Egg, "egg", requires={})
    with pytest.raises(Exception, match="egg -> hen -> egg") as caught:
        started(on, circular)
    one_line(caught.value)
