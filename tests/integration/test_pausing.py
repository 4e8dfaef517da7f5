"""A group that is paused, on a real Kafka: its members stay, their lag grows, and nothing is read twice."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from integration.deployment import Deployment
from integration.shop import Ticked, ticker
from integration.stepped_workers import Workers
from oyez.consumers.admin import Pausing
from oyez.consumers.database import Database
from oyez.consumers.database.clock import DatabaseClock
from oyez.consumers.handlers.registry import Promise


@pytest.fixture(params=["exactly-once", "at-least-once"])
def workers(request: pytest.FixtureRequest, deployment: Deployment) -> Iterator[Workers]:
    """Workers of an application that notes ticks, with each promise."""
    promise: Promise = request.param
    made = Workers(deployment, ticker(deployment.app, promise))
    yield made
    made.close()


def pausing_of(workers: Workers) -> Pausing:
    database = Database(workers.deployment.engine)
    return Pausing(workers.application, database, DatabaseClock(), 86_400.0)


def say(deployment: Deployment, *numbers: int) -> None:
    deployment.say(*(Ticked(n=n) for n in numbers))


def lag(workers: Workers) -> int:
    return sum(one.worker.lag() or 0 for one in workers.members)


def test_members_stay_and_read_nothing(workers: Workers, deployment: Deployment) -> None:
    pausing = pausing_of(workers)
    group = pausing.scope("ticked", None)
    one, other = workers.join("ticked"), workers.join("ticked")
    workers.until(lambda: (len(one.held()), len(other.held())) == (2, 2))
    say(deployment, *range(10))
    workers.until(lambda: sorted(workers.ticks()) == list(range(10)))
    assert pausing.pause(group, "me@here", None)
    workers.until(lambda: one.worker.reading.is_paused and other.worker.reading.is_paused)
    before = one.held(), other.held()
    say(deployment, *range(10, 30))
    workers.until(lambda: lag(workers) == 20)
    assert (one.held(), other.held()) == before
    assert sorted(workers.ticks()) == list(range(10))
    assert pausing.resume(group)
    workers.until(lambda: sorted(workers.ticks()) == list(range(30)))
    assert (one.held(), other.held()) == before


def test_partitions_that_are_dealt_meanwhile_are_read_from_where_the_group_is(
    workers: Workers, deployment: Deployment
) -> None:
    pausing = pausing_of(workers)
    group = pausing.scope("ticked", None)
    one = workers.join("ticked")
    say(deployment, *range(10))
    workers.until(lambda: sorted(workers.ticks()) == list(range(10)))
    assert pausing.pause(group, "me@here", None)
    workers.until(lambda: one.worker.reading.is_paused)
    say(deployment, *range(10, 30))
    other = workers.join("ticked")
    workers.until(lambda: (len(one.held()), len(other.held())) == (2, 2))
    workers.leave(one)
    workers.until(lambda: len(other.held()) == 4)
    assert sorted(workers.ticks()) == list(range(10))
    assert pausing.resume(group)
    workers.until(lambda: sorted(workers.ticks()) == list(range(30)))
