"""What is handled again after a rewind, and what is not."""

from __future__ import annotations

from sqlalchemy import Connection

from consumers.shelves import GROUP, KEYS, back, later, place
from consumers.stage import TOPIC, Placed, note
from oyez.consumers import Handlers


def test_again_handles_again_what_was_read_before_and_only_that(shelf):
    stage = shelf()
    place(stage, 0, 1, 2, 3)
    place(stage, 1, 7)
    place(stage, 0, 4)
    back(stage, 1, 0, is_again=True)
    place(stage, 0, 5)
    later(stage)
    assert stage.effects() == [1, 2, 3, 7, 4, 2, 3, 4, 5]


def test_again_handles_an_event_once_in_a_batch(shelf):
    stage = shelf()
    place(stage, 0, 1)
    first = stage.broker.read(TOPIC, 0, 0, 1)[0]
    stage.broker.append(TOPIC, KEYS[0].encode(), first.value())
    stage.run()
    assert stage.effects() == [1]
    back(stage, 0, 0, is_again=True)
    later(stage)
    assert stage.effects() == [1, 1]


def test_a_second_rewind_does_not_forget_how_far_the_first_one_went(shelf):
    stage = shelf(batch=1)
    place(stage, 0, 1, 2, 3)
    assert back(stage, 0, 0, is_again=True)
    assert back(stage, 1, 0, is_again=True)
    later(stage)
    assert stage.effects() == [1, 2, 3, 2, 3]


def test_a_rewind_without_again_ends_it(shelf):
    stage = shelf()
    place(stage, 0, 1, 2, 3)
    back(stage, 0, 0, is_again=True)
    back(stage, 0, 0)
    later(stage)
    assert stage.effects() == [1, 2, 3]


def test_parked_and_dead_shares_of_what_is_handled_again_stay_single(play):
    on = Handlers("shop")
    broken = {1, 2}

    @on(Placed)
    def picky(one: Placed, db: Connection) -> None:
        if one.n in broken:
            raise ValueError("broken")
        note(db, "picky", one.n)

    stage = play(on, max_attempts=1)
    stage.handle(Placed(k="a", n=1))
    assert len(stage.dead()) == 1
    stage._settings = stage._settings.model_copy(update={"max_attempts": 9})
    stage.workers[GROUP].run(lambda: True)
    stage.workers[GROUP] = stage.worker(GROUP)
    stage.handle(Placed(k="b", n=2), Placed(k="b", n=3))
    assert len(stage.parked()) == 2
    back(stage, 0, 0, is_again=True)
    stage.clock.now += 5.1
    stage.workers[GROUP].step()
    stage.run()
    assert [n for _, n, _ in stage.parked()] == [2, 3, 1]
    assert len(stage.dead()) == 1
