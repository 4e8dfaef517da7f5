"""What is handled again after a rewind, and what is not."""

from __future__ import annotations

from sqlalchemy import Connection

from consumers.partitions.moved_positions import GROUP, KEYS, back, later, place
from consumers.pipeline import TOPIC, Placed, note
from oyez.consumers import Handlers


def test_again_handles_again_what_was_read_before_and_only_that(moved_pipeline):
    pipeline = moved_pipeline()
    place(pipeline, 0, 1, 2, 3)
    place(pipeline, 1, 7)
    place(pipeline, 0, 4)
    back(pipeline, 1, 0, is_again=True)
    place(pipeline, 0, 5)
    later(pipeline)
    assert pipeline.effects() == [1, 2, 3, 7, 4, 2, 3, 4, 5]


def test_again_handles_an_event_once_in_a_batch(moved_pipeline):
    pipeline = moved_pipeline()
    place(pipeline, 0, 1)
    first = pipeline.broker.read(TOPIC, 0, 0, 1)[0]
    pipeline.broker.append(TOPIC, KEYS[0].encode(), first.value())
    pipeline.run()
    assert pipeline.effects() == [1]
    back(pipeline, 0, 0, is_again=True)
    later(pipeline)
    assert pipeline.effects() == [1, 1]


def test_a_second_rewind_does_not_forget_how_far_the_first_one_went(moved_pipeline):
    pipeline = moved_pipeline(batch=1)
    place(pipeline, 0, 1, 2, 3)
    assert back(pipeline, 0, 0, is_again=True)
    assert back(pipeline, 1, 0, is_again=True)
    later(pipeline)
    assert pipeline.effects() == [1, 2, 3, 2, 3]


def test_a_rewind_without_again_ends_it(moved_pipeline):
    pipeline = moved_pipeline()
    place(pipeline, 0, 1, 2, 3)
    back(pipeline, 0, 0, is_again=True)
    back(pipeline, 0, 0)
    later(pipeline)
    assert pipeline.effects() == [1, 2, 3]


def test_parked_and_dead_deliveries_of_what_is_handled_again_stay_single(play):
    on = Handlers("shop")
    broken = {1, 2}

    @on(Placed)
    def picky(one: Placed, db: Connection) -> None:
        if one.n in broken:
            raise ValueError("broken")
        note(db, "picky", one.n)

    pipeline = play(on, max_attempts=1)
    pipeline.handle(Placed(k="a", n=1))
    assert len(pipeline.dead()) == 1
    pipeline._settings = pipeline._settings.model_copy(update={"max_attempts": 9})
    pipeline.workers[GROUP].run(lambda: True)
    pipeline.workers[GROUP] = pipeline.worker(GROUP)
    pipeline.handle(Placed(k="b", n=2), Placed(k="b", n=3))
    assert len(pipeline.parked()) == 2
    back(pipeline, 0, 0, is_again=True)
    pipeline.clock.now += 5.1
    pipeline.workers[GROUP].step()
    pipeline.run()
    assert [n for _, n, _ in pipeline.parked()] == [2, 3, 1]
    assert len(pipeline.dead()) == 1
