"""A deploy that breaks every handler: nothing is committed until it is repaired, and nothing was parked by it."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from consumers.pipeline import Placed, Play, note, placed
from oyez.consumers import Handlers, NotReady, Reject
from oyez.consumers.partitions.held import ACQUISITIONS

GROUP = "shop.placed"


class Breakable:
    def __init__(self) -> None:
        self.fails = lambda n: True
        self.error: type[BaseException] | BaseException = ImportError("no module named tax")

    def shop(self, promise="exactly-once") -> Handlers:
        on = Handlers("shop", promises={"placed": promise})

        @on(Placed, name="place", order="none")
        def place(event: Placed, db: Session) -> None:
            if self.fails(event.n):
                raise self.error
            note(db, "place", event.n)

        return on


@pytest.mark.parametrize("promise", ["exactly-once", "at-least-once"])
def test_nothing_is_committed_until_the_handlers_work_again(play: Play, caplog, promise) -> None:
    code = Breakable()
    pipeline = play(code.shop(promise))
    pipeline.run()
    troubles: list[str | None] = []

    def repair(count: int) -> None:
        troubles.extend(pipeline.rows("position", "trouble"))
        assert pipeline.rows("inbox") == []
        assert pipeline.is_clean()
        if count >= 20:
            code.fails = lambda n: False

    pipeline.clock.on_sleep = repair
    pipeline.announce(*placed(range(60)))
    before = pipeline.clock.now
    pipeline.run()
    assert sorted(pipeline.effects()) == list(range(60))
    assert pipeline.is_clean()
    assert pipeline.clock.now - before > 5, "later and later"
    assert "60 of 60 deliveries failed alike" in str(troubles[-1])
    assert "place: ImportError: no module named tax" in str(troubles[-1])
    said = [r.getMessage() for r in caplog.records if r.name == "oyez.worker" and r.levelname != "INFO"]
    assert len(said) == 2, said
    assert "failed alike" in said[0]
    assert "work again" in said[1]
    if promise == "exactly-once":
        assert pipeline.rows("position", "trouble") == [None]


def test_a_stop_while_they_are_tried_again_parks_nothing(play: Play) -> None:
    """Cut by the stop, too little of the batch would have failed to tell that the handlers are broken."""
    code = Breakable()
    pipeline = play(code.shop())
    pipeline.run()
    pipeline.announce(*placed(range(60)))
    tried: list[int] = []

    def fails(n: int) -> bool:
        tried.append(n)
        return True

    code.fails = fails
    pipeline.workers[GROUP].run(lambda: len(tried) > 70)
    assert pipeline.rows("inbox") == []
    assert pipeline.is_clean()
    code.fails = lambda n: False
    pipeline.workers[GROUP] = pipeline.worker(GROUP)
    pipeline.run()
    assert sorted(pipeline.effects()) == list(range(60))


def test_a_worker_that_is_told_to_stop_meanwhile_does(play: Play) -> None:
    code = Breakable()
    pipeline = play(code.shop())
    pipeline.run()
    pipeline.announce(*placed(range(60)))
    naps: list[int] = []
    pipeline.clock.on_sleep = naps.append
    pipeline.workers[GROUP].run(lambda: len(naps) > 3)
    code.fails = lambda n: False
    pipeline.workers[GROUP] = pipeline.worker(GROUP)
    pipeline.run()
    assert sorted(pipeline.effects()) == list(range(60))
    assert pipeline.is_clean()


@pytest.mark.parametrize("promise", ["exactly-once", "at-least-once"])
def test_however_often_it_is_stopped_meanwhile_that_is_no_death(play: Play, promise: str) -> None:
    """Were it one, events would soon be handled one at a time, where nobody can tell that the handlers are broken."""
    code = Breakable()
    pipeline = play(code.shop(promise))
    pipeline.run()
    pipeline.announce(*placed(range(60)))
    for _ in range(ACQUISITIONS + 2):
        until = pipeline.clock.sleeps + 3
        pipeline.workers[GROUP].run(lambda until=until: pipeline.clock.sleeps >= until)  # type: ignore[misc]
        assert pipeline.rows("position", "acquisitions") == [0]
        assert pipeline.is_clean()
        pipeline.workers[GROUP] = pipeline.worker(GROUP)
    code.fails = lambda n: False
    pipeline.run()
    assert sorted(pipeline.effects()) == list(range(60))


@pytest.mark.parametrize(
    ("count", "fails", "error"),
    [
        (49, lambda n: True, ValueError("no")),
        (60, lambda n: n >= 7, ValueError("no")),
        (60, lambda n: True, NotReady()),
        (60, lambda n: True, Reject("no")),
    ],
    ids=["too few", "under nine tenths", "not ready", "rejected"],
)
def test_what_is_not_a_broken_deploy_is_parked_or_dead_as_ever(play: Play, count, fails, error) -> None:
    code = Breakable()
    code.fails, code.error = fails, error
    pipeline = play(code.shop())
    pipeline.run()
    pipeline.announce(*placed(range(count)))
    for worker in pipeline.workers.values():
        worker.step()
    failed = sum(map(fails, range(count)))
    assert len(pipeline.rows("parked", "id")) + len(pipeline.rows("dead", "id")) == failed
    assert len(pipeline.effects()) == count - failed


def test_different_errors_are_not_alike(play: Play) -> None:
    on = Handlers("shop")

    @on(Placed, name="place", order="none")
    def place(event: Placed, db: Session) -> None:
        raise (ValueError if event.n % 2 else KeyError)("no")

    pipeline = play(on)
    pipeline.handle(*placed(range(60)))
    assert len(pipeline.parked()) == 60


def test_what_is_parked_already_fails_by_itself(play: Play) -> None:
    """Parked deliveries that fail all alike do so because of themselves: they come to an end."""
    code = Breakable()
    pipeline = play(code.shop(), max_attempts=2)
    code.fails = lambda n: True
    pipeline.run()
    for n in range(0, 60, 20):
        pipeline.announce(*placed(range(n, n + 20)))
        pipeline.workers[GROUP].step()
    assert len(pipeline.parked()) == 60
    pipeline.later()
    assert [reason for _, _, reason in pipeline.dead()] == ["failed 2 times"] * 60
