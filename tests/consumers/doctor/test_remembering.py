"""What may be forgotten while a parked delivery still requires it is a warning of the doctor's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Literal

import pytest
from sqlalchemy import Connection

from oyez.consumers import Application, Backoff, Handlers
from oyez.consumers.doctor.check import Finding
from oyez.consumers.doctor.checks.remembering import look
from oyez.consumers.doctor.setup import Setup
from oyez.consumers.settings import ListenSettings
from oyez.schemas import Catalogue, Event, Signal

DAY = 86_400.0


def found(
    remember: timedelta | None,
    *,
    retry: Backoff | None = None,
    order: Literal["key", "none"] = "key",
    is_answered: bool = False,
    **settings: float,
) -> Sequence[Finding]:
    """What is said of a shop whose payments require an order."""
    known, on = Catalogue(), Handlers("shop")

    class Placed(Signal, name="placed", key="k", subject="k", remember=remember, catalogue=known):
        k: str

    class Paid(Signal, name="paid", key="k", requires={Placed: "k"}, catalogue=known):
        k: str

    @on(Placed)
    def place(event: Event[Any]) -> None: ...

    @on(Paid, retry=retry, order=order)
    def settle(event: Event[Any]) -> None: ...

    if is_answered:

        @on.met_by(Placed)
        def placed(db: Connection, subjects: list[str]) -> list[str]:
            return subjects

    return look(Setup([], ListenSettings(**settings), Application(on, known), wall=lambda: 0.0))


def test_by_default_it_is_remembered_for_longer_than_anything_waits() -> None:
    assert [one.state for one in found(timedelta(days=30))] == ["ok"]
    assert [one.state for one in found(None, max_age=1_000 * DAY)] == ["ok"]


def test_a_delivery_may_be_as_old_as_it_may_get_behind_one_that_was() -> None:
    (one,) = found(timedelta(days=2))
    assert one.state == "warning"
    assert one.says == (
        "settle requires placed, which is remembered for 2 days; a delivery of it may be parked for 2.1 days, "
        "and would then wait for what is forgotten"
    )
    assert "give placed a longer remember=, or settle a shorter retry=Backoff(max_age=…)" in str(one.advice)


@pytest.mark.parametrize(("hours", "state"), [(25, "warning"), (26, "ok")])
def test_nothing_is_behind_another_where_the_order_does_not_matter(hours: int, state: str) -> None:
    assert [one.state for one in found(timedelta(hours=hours), order="none")] == [state]


def test_a_handler_has_a_limit_of_its_own_and_the_application_one_for_all() -> None:
    short = Backoff(max_age=DAY / 4)
    assert [one.state for one in found(timedelta(days=1), retry=short)] == ["ok"]
    assert [one.state for one in found(timedelta(days=1), max_age=DAY / 4)] == ["ok"]
    assert [one.state for one in found(timedelta(days=30), max_age=20 * DAY)] == ["warning"]


def test_what_the_application_itself_answers_need_not_be_remembered() -> None:
    assert [one.state for one in found(timedelta(hours=1), is_answered=True)] == ["ok"]
