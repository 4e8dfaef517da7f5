"""Records that could not be decoded, after a deploy that can."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, update

from consumers.admin.admin_pipeline import DEAD, Failing, Operator
from consumers.admin.conftest import OperatorPipeline
from consumers.pipeline import TOPIC, Placed, Viewed, note
from oyez.consumers import Handlers


def shop(failing: Failing) -> Handlers:
    on = Handlers("shop")

    @on(Placed, group="orders")
    def place(event: Placed, db: Connection) -> None:
        failing("place", event.n)
        note(db, "place", event.n)

    @on(Placed, group="orders", order="none")
    def count(event: Placed, db: Connection) -> None:
        note(db, "count", event.n)

    @on(Viewed, requires={})
    def view(event: Viewed, db: Connection) -> None:
        note(db, "view", event.n)

    return on


def announce(one: Operator, n: int, *, wrong: bool = False, **changed: Any) -> bytes:
    """Announce an order, as it is or with data that does not fit the signal; its right bytes."""
    one.pipeline.announce(Placed(n=n))
    broker = one.pipeline.broker
    (record,) = broker.read(TOPIC, 0, broker.end(TOPIC, 0) - 1, 1)
    value = record.value()
    assert value is not None
    if wrong or changed:
        broken = json.loads(value) | changed
        if wrong:
            broken["data"]["n"] = "none"
        record._value = json.dumps(broken, separators=(",", ":")).encode()
    return value


def repair(one: Operator, *values: bytes) -> None:
    """What a new version of the signal would do: the same bytes can be decoded now."""
    letters = one.pipeline.rows("dead", "id", "handler")
    with one.pipeline.engine.begin() as db:
        for (letter, _), value in zip([row for row in letters if not row[1]], values, strict=True):
            db.execute(update(DEAD).where(DEAD.c.id == letter).values(value=value))


def test_it_stays_dead_with_the_reason_of_today(operator: OperatorPipeline) -> None:
    one = operator(shop(Failing()))
    announce(one, 0, wrong=True)
    one.pipeline.run()
    ((before, died),) = one.pipeline.rows("dead", "error", "died_at")
    one.pipeline.clock.now += 100
    tally = one.decode()
    assert (tally.chosen, tally.done, tally.undecodable) == (1, 0, 1)
    ((after, died_again),) = one.pipeline.rows("dead", "error", "died_at")
    assert "n" in after
    assert after == before
    assert died_again > died + 99


def test_every_handler_gets_its_delivery_once(operator: OperatorPipeline) -> None:
    one = operator(shop(Failing()))
    right = announce(one, 0, wrong=True)
    one.pipeline.run()
    repair(one, right)
    tally = one.decode()
    assert (tally.chosen, tally.done) == (1, 1)
    assert sorted(one.parked()) == [("count", 0, "due"), ("place", 0, "due")]
    assert len(one.pipeline.rows("inbox", "event_id")) == 1
    one.pipeline.run()
    assert (one.pipeline.effects("place"), one.pipeline.effects("count"), one.pipeline.is_clean()) == (
        [0],
        [0],
        True,
    )


def test_what_was_announced_again_meanwhile_is_not_doubled(operator: OperatorPipeline) -> None:
    one = operator(shop(Failing()))
    right = announce(one, 0, wrong=True)
    one.pipeline.broker.append(TOPIC, b"k1", right)
    one.pipeline.run()
    assert one.pipeline.effects("place") == [0]
    repair(one, right)
    assert one.decode().done == 1
    assert one.pipeline.is_clean()


def test_it_goes_before_what_was_parked_since(operator: OperatorPipeline) -> None:
    failing = Failing()
    one = operator(shop(failing))
    right = [announce(one, n, wrong=True) for n in range(2)]
    one.pipeline.run()
    failing.tell("place", 2)
    one.pipeline.handle(Placed(n=2), Placed(n=3))
    repair(one, *right)
    one.size = 1
    one.decode()
    assert [n for handler, n, _ in one.parked() if handler == "place"] == [0, 1, 2, 3]
    failing.repair()
    one.pipeline.later()
    assert one.pipeline.effects("place") == [0, 1, 2, 3]


def test_it_goes_behind_what_was_parked_before(operator: OperatorPipeline) -> None:
    failing = Failing()
    one = operator(shop(failing))
    failing.tell("place", 0)
    one.pipeline.handle(Placed(n=0))
    right = announce(one, 1, wrong=True)
    one.pipeline.run()
    repair(one, right)
    one.decode()
    assert [n for handler, n, _ in one.parked() if handler == "place"] == [0, 1]


def test_the_key_of_the_record_is_kept(operator: OperatorPipeline) -> None:
    """Another producer's event may have no other; what can be no key is not kept."""
    one = operator(shop(Failing()))
    right = announce(one, 0, wrong=True)
    foreign = right.replace(b'"partitionkey":"k1",', b"")
    assert foreign != right
    for key in (b"k2", None, b"", b"x" * 251, b"a\0b"):
        one.pipeline.broker.append(TOPIC, key, b"no event")
    one.pipeline.run()
    assert one.pipeline.rows("dead", "key") == ["k1", "k2", None, None, None, None]
    repair(one, right, *[foreign] * 5)
    assert one.decode(key="k2").done == 1
    one.pipeline.run()
    assert one.pipeline.effects("place") == [0]


def test_a_signal_that_nobody_handles_stays(operator: OperatorPipeline) -> None:
    one = operator(shop(Failing()))
    right = announce(one, 0, wrong=True)
    one.pipeline.run()
    repair(one, right.replace(b'"placed"', b'"ticked"'))
    assert one.decode().undecodable == 1
    assert one.pipeline.rows("dead", "error") == ["no handler of shop handles it"]
