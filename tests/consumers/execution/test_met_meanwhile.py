"""What is met between the look before the transaction and the transaction itself is not parked for nothing."""

from __future__ import annotations

from sqlalchemy.orm import Session

from consumers.pipeline import Opened, Play, Viewed, note, terms
from oyez.consumers import Handlers


def shop() -> Handlers:
    on = Handlers("shop")

    @on(Opened)
    def opened(event: Opened, db: Session) -> None:
        note(db, "opened", event.n)

    @on(Viewed)
    def viewed(event: Viewed, db: Session) -> None:
        note(db, "viewed", event.n)

    return on


def test_it_is_asked_for_again_in_the_transaction(play: Play) -> None:
    pipeline = play(shop())
    pipeline.run()
    pipeline.announce(Opened(s="s1"), Viewed(s="s1", n=1), Viewed(s="s2", n=2))
    worker = pipeline.workers["shop.viewed"]
    records = worker._log.poll(500, 0)
    read = worker._reading.decode(records, terms(worker))
    batch = worker._reading.make_ready(read, lambda: False, is_full=False)
    assert {prerequisite.subject for prerequisite in batch.missing} == {"s1", "s2"}
    while pipeline.workers["shop.opened"].step():
        pass
    report = worker._execution.handle(batch)
    assert (report.done, report.waiting) == (1, 1)
    assert [n for _, n, _ in pipeline.parked()] == [2]


def test_it_is_asked_for_while_the_batch_waits(play: Play) -> None:
    pipeline = play(shop())
    pipeline.run()
    pipeline.announce(Opened(s="s1"), Viewed(s="s1", n=1))

    def pause(_count: int) -> None:
        while pipeline.workers["shop.opened"].step():
            pass

    pipeline.clock.on_sleep = pause
    before = pipeline.clock.now
    assert pipeline.workers["shop.viewed"].step() == 2
    assert pipeline.clock.now - before < 0.05, "it waits no longer than it has to"
    assert pipeline.effects("viewed") == [1]
    assert pipeline.rows("parked", "id") == []


def test_a_full_batch_does_not_wait(play: Play) -> None:
    pipeline = play(shop(), batch=2)
    pipeline.run()
    pipeline.announce(Viewed(s="s1", n=1), Viewed(s="s2", n=2))
    assert pipeline.workers["shop.viewed"].step() == 2
    assert pipeline.clock.sleeps == 0
    assert len(pipeline.parked()) == 2
