"""Operations are applied while workers work: every order of their statements, on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, Table, text

from consumers.interleavings.conftest import _stepped_database, stepped_database
from consumers.interleavings.every_order import Act, EveryOrder, nothing_is_left
from consumers.interleavings.shop import Shop
from consumers.interleavings.signals import PageViewed, Script, SessionStarted, announced
from oyez.consumers import Application, Handlers, Reject
from oyez.consumers.admin import Discard, Operation, Release, Retry, Steps, Tally
from oyez.consumers.database.delivery_filter import Filter
from oyez.consumers.database.tables import dead, parked
from support.stepping import SteppedDatabase

__all__ = ["_stepped_database", "stepped_database"]

STARTS, VIEWS = "steps.session.started", "steps.page.viewed"
REJECT = Reject("as told")


class Discarding(EveryOrder):
    """Every order of an application in which prerequisites are met by what is discarded, too."""

    def _is_sound(self, db: Connection) -> None:
        waiting = text(
            "SELECT count(*) FROM oyez_parked p JOIN oyez_prerequisite q USING (app) "
            "WHERE p.wait_signal = q.signal AND p.wait_subject = q.subject AND q.met_at IS NOT NULL"
        )
        assert db.execute(waiting).scalar_one() == 0, "met, but somebody waits for it"


def apply(shop: Shop, operation: Operation, **asked: Any) -> Tally:
    """Once over all that matches, without waiting for what others have claimed."""
    steps = Steps(shop.database, timeout=-1.0)
    wanted = Filter(app=shop.application.name, **asked)
    return steps.apply(operation, steps.choose(operation.table, wanted), wanted)


def discard(table: Table, **asked: Any) -> Act:
    return lambda shop: apply(shop, Discard(shop.application, table, shop.clock), **asked)


def retry(shop: Shop) -> Tally:
    return apply(shop, Retry(shop.application, shop.clock))


def release(shop: Shop) -> Tally:
    return apply(shop, Release(shop.application, shop.clock))


def claim(group: str) -> Act:
    return lambda shop: shop.claim(group)


@pytest.fixture
def visits(stepped_database: SteppedDatabase) -> tuple[Discarding, Script]:
    """Two handlers start a session, one counts its views."""
    on = Handlers("shop")
    script = Script(on)
    script.handler("greet", SessionStarted)
    script.handler("count", SessionStarted)
    script.handler("view", PageViewed)
    return Discarding(stepped_database, Application(on)), script


def all_is_met(shop: Shop) -> None:
    """Nothing is lost without a sweep: what was released is due, and everybody was told."""
    shop.run_due()
    nothing_is_left(shop)
    assert shop.done("view") == [1]
    assert [met is not None for (met,) in shop.rows("prerequisite", "met_at")] == [True]


def half_started(script: Script, greeting: BaseException | None) -> Callable[[Shop], None]:
    """A session of which ``count`` has died and ``greet`` has failed, or died too; a view waits for it."""

    def before(shop: Shop) -> None:
        script.fails("count", 0, REJECT)
        script.fails("greet", 0, greeting)
        shop.handle(*announced(SessionStarted(session="s1"), PageViewed(session="s1", n=1)))
        script.works("count", 0)
        script.works("greet", 0)
        shop.clock.now += 10

    return before


def test_one_delivery_is_discarded_while_the_other_is_done(visits: tuple[Discarding, Script]) -> None:
    every_order, script = visits
    acts = {"sweeper": claim(STARTS), "operator": discard(dead)}
    every_order.every(acts, all_is_met, before=half_started(script, None))
    assert every_order.waited, "neither ever waited for the other's lock of the prerequisite"
    assert every_order.rolled_back == 0, "a deadlock"


def test_discarded_while_it_is_revived(visits: tuple[Discarding, Script]) -> None:
    """What was never met is discarded, or handled: not both, and not neither."""
    every_order, _ = visits
    started, viewed = announced(SessionStarted(session="s1"), PageViewed(session="s1", n=1))
    ends: set[tuple[int, int]] = set()

    def before(shop: Shop) -> None:
        shop.handle(viewed)
        shop.clock.now += 90_000
        shop.sweep()

    def check(shop: Shop) -> None:
        shop.run_due()
        nothing_is_left(shop)
        ends.add((every_order.results["operator"].done, len(shop.done("view"))))

    acts: dict[str, Act] = {"starter": lambda shop: shop.handle(started), "operator": discard(dead)}
    every_order.every(acts, check, before=before)
    assert ends == {(1, 0), (0, 1)}
    assert every_order.rolled_back == 0


def test_two_operators_discard_a_delivery_each(visits: tuple[Discarding, Script]) -> None:
    every_order, script = visits
    acts = {"one": discard(dead, handler="greet"), "other": discard(dead, handler="count")}
    every_order.every(acts, all_is_met, before=half_started(script, REJECT))
    assert every_order.waited
    assert every_order.rolled_back == 0


def test_two_operators_discard_the_same(visits: tuple[Discarding, Script]) -> None:
    every_order, script = visits
    both = discard(dead)
    every_order.every({"one": both, "other": both}, all_is_met, before=half_started(script, REJECT))
    assert every_order.rolled_back == 0


def test_a_delivery_is_discarded_while_it_is_claimed(visits: tuple[Discarding, Script]) -> None:
    """Who has it first has it; the other one does not wait, since it holds what the first may ask for."""
    every_order, script = visits
    greeted: set[bool] = set()

    def before(shop: Shop) -> None:
        half_started(script, None)(shop)
        discard(dead)(shop)

    def check(shop: Shop) -> None:
        greeted.add(shop.done("greet") == [0])
        all_is_met(shop)

    acts = {"sweeper": claim(STARTS), "operator": discard(parked, handler="greet")}
    every_order.every(acts, check, before=before)
    assert greeted == {True, False}
    assert every_order.rolled_back == 0


def test_released_while_the_prerequisite_is_met(visits: tuple[Discarding, Script]) -> None:
    every_order, _ = visits
    started, viewed = announced(SessionStarted(session="s1"), PageViewed(session="s1", n=1))
    acts: dict[str, Act] = {"starter": lambda shop: shop.handle(started), "operator": release}
    every_order.every(acts, all_is_met, before=lambda shop: shop.handle(viewed))
    assert every_order.rolled_back == 0


def test_retried_while_the_key_goes_on(visits: tuple[Discarding, Script]) -> None:
    """An event that died and the next of its key, which failed; a worker comes, and an operator."""
    every_order, script = visits
    orders: set[tuple[int, ...]] = set()

    def before(shop: Shop) -> None:
        script.fails("view", 1, REJECT)
        script.fails("view", 2)
        views = [PageViewed(session="s1", n=n) for n in (1, 2, 3)]
        shop.handle(*announced(SessionStarted(session="s1"), *views))
        script.works("view", 1)
        script.works("view", 2)
        shop.clock.now += 10

    def check(shop: Shop) -> None:
        retry(shop)  # what was left because the key was claimed
        shop.sweep()
        nothing_is_left(shop)
        orders.add(tuple(shop.done("view")))

    every_order.every({"sweeper": claim(VIEWS), "operator": retry}, check, before=before)
    assert orders == {(1, 2, 3), (2, 3, 1)}, "what is claimed runs to its end; nothing goes in between"
    assert every_order.rolled_back == 0


def test_two_operators_retry_the_same(visits: tuple[Discarding, Script]) -> None:
    every_order, script = visits

    def before(shop: Shop) -> None:
        for n in (1, 2, 3):
            script.fails("view", n, REJECT)
        views = [PageViewed(session="s1", n=n) for n in (1, 2, 3)]
        shop.handle(*announced(SessionStarted(session="s1"), *views))
        for n in (1, 2, 3):
            script.works("view", n)

    def check(shop: Shop) -> None:
        shop.run_due()
        nothing_is_left(shop)
        assert shop.done("view") == [1, 2, 3]

    every_order.every({"one": retry, "other": retry}, check, before=before)
    assert every_order.rolled_back == 0
