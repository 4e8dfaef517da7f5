"""What only waited since something was paused is not given up for its age."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from consumers.interleavings.pausing_world import World

DAY = 86_400.0


@pytest.fixture
def world(pipeline_database: str) -> Iterator[World]:
    made = World(pipeline_database)
    yield made
    made.close()


def test_what_fails_after_a_long_pause_is_tried_again(world: World) -> None:
    world.pause("first")
    world.announce_one("placed", "k1")
    world.run()
    world.later(3 * DAY)
    world.failing.add("first")
    world.resume("first")
    world.run()
    assert [(handler, n) for handler, n, _ in world.parked()] == [("first", 0)]
    assert world.dead() == []
    world.later(DAY / 2)
    assert world.dead() == []
    world.later(DAY)
    assert [(handler, n) for handler, n, _ in world.dead()] == [("first", 0)]


def test_what_waits_for_a_handler_that_is_paused_is_not_given_up(world: World) -> None:
    """Its prerequisite stays unmet; its age begins when that handler is resumed."""
    world.pause("open")
    world.announce_one("opened", "k1")
    world.announce_one("viewed", "k1")
    world.announce_one("viewed", "k2")
    world.run()
    for _ in range(3):
        world.later(DAY)
    assert world.dead() == []
    world.resume("open")
    world.run()
    assert world.did() == [("open", 0), ("view", 1)]
    world.later(DAY / 2)
    assert world.dead() == []
    world.later(DAY)
    assert [(handler, n) for handler, n, _ in world.dead()] == [("view", 2)]


@pytest.mark.parametrize(
    ("name", "key"), [("view", None), ("shop.viewed", None), (None, "k1"), ("view", "k1")]
)
def test_what_waits_while_it_is_paused_itself_is_not_given_up(
    world: World, name: str | None, key: str | None
) -> None:
    world.announce_one("viewed", "k1")
    world.run()
    world.pause(name, key)
    for _ in range(3):
        world.later(DAY)
    world.resume(name, key)
    world.run()
    assert world.dead() == []
    world.announce_one("opened", "k1")
    world.run()
    assert world.did() == [("open", 1), ("view", 0)]


def test_other_handlers_give_up_as_before(world: World) -> None:
    world.pause("first")
    world.announce_one("viewed", "k1")
    world.run()
    world.later(2 * DAY)
    assert [(handler, n) for handler, n, _ in world.dead()] == [("view", 0)]


def test_a_pause_that_has_ended_is_forgotten_when_no_age_depends_on_it(world: World) -> None:
    world.pause("first")
    world.resume("first")
    world.pause("second")
    world.clock.now += 2 * DAY
    world.resume("second")
    assert [row[2] for row in world.rows("pause")] == ["second"]
    assert world.pause("second")
    assert not world.pause("second")
