"""What was announced, or parked, as an older version of a signal is handled as what the signal is now."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from consumers.pipeline import Pipeline, Play, note
from oyez.consumers import Handlers
from oyez.schemas import Catalogue, Signal

before, now = Catalogue(), Catalogue()


class Began(Signal, name="began", catalogue=before, key="k", subject="k"):
    k: str


class Billed(Signal, name="billed", catalogue=before, key="k", requires={Began: "k"}):
    k: str
    euros: int


class BeganNow(Signal, name="began", catalogue=now, key="k", subject="k"):
    k: str


class BilledNow(Signal, name="billed", version=2, catalogue=now, key="k", requires={BeganNow: "k"}):
    k: str
    cents: int


@BilledNow.upcast(from_version=1)
def in_cents(data: dict[str, Any]) -> dict[str, Any]:
    return {"k": data["k"], "cents": 100 * data["euros"]}


def shop(began: type[Signal], billed: type[Signal]) -> Handlers:
    on = Handlers("shop")

    @on(began, name="begin")
    def begin(event: Began | BeganNow) -> None:
        pass

    @on(billed, name="bill")
    def bill(event: Billed | BilledNow, db: Session) -> None:
        note(db, "bill", event.cents if isinstance(event, BilledNow) else event.euros)

    return on


def deployed(old: Pipeline) -> Pipeline:
    """The new code, on what the old one has left."""
    return Pipeline("", shop(BeganNow, BilledNow), signals=now, engine=old.engine, broker=old.broker)


def test_what_is_parked_in_the_old_version_runs_in_the_new_one(play: Play) -> None:
    old = play(shop(Began, Billed), signals=before)
    old.handle(Billed(k="a", euros=3), Billed(k="b", euros=5))
    assert old.rows("parked", "wait_signal") == ["began", "began"]
    new = deployed(old)
    new.handle(BilledNow(k="a", cents=450), BeganNow(k="a"), BeganNow(k="b"))
    assert sorted(new.effects("bill")) == [300, 450, 500]
    assert new.is_clean()


def test_both_versions_in_one_batch_are_in_the_order_of_their_key(play: Play) -> None:
    old = play(shop(Began, Billed), signals=before)
    old.handle(Began(k="a"))
    new = deployed(old)
    for cents in range(4):
        new.announce(BilledNow(k="a", cents=cents))
        old.announce(Billed(k="a", euros=cents))
    new.run()
    assert new.effects("bill") == [0, 0, 1, 100, 2, 200, 3, 300]


def test_code_of_the_old_version_reads_what_it_can_of_the_new_one(play: Play) -> None:
    old = play(shop(Began, Billed), signals=before)
    old.handle(Began(k="a"))
    deployed(old).announce(BilledNow(k="a", cents=7))
    old.handle(Billed(k="a", euros=1))
    assert old.effects("bill") == [1]
    assert old.rows("dead", "reason") == ["undecodable"]
