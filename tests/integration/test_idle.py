"""What costs nothing: other groups' signals, and a topic that is not there yet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from integration.deployment import Deployment
from integration.shop import Priced, Ticked, ticker
from integration.stepped_workers import Member, Workers
from oyez.consumers.database.tables import position
from support.services import make_topic, unique


def _positions(deployment: Deployment) -> int:
    """The sum of the positions in the database."""
    with deployment.engine.connect() as db:
        return sum(db.execute(select(position.c.position)).scalars())


def _read(member: Member) -> int:
    return sum(member.log.positions().values())


@pytest.fixture
def member(tickers: Workers) -> Member:
    """One that has begun. After its first sweep it looks once more: only then has it begun to hear the database."""
    one = tickers.join("ticked", sweep_every=3600)

    def is_quiet() -> bool:
        wrote = bool(one.commits)
        one.commits.clear()
        return not wrote

    tickers.until(lambda: len(one.held()) == 4)
    for _ in range(2):
        tickers.step()
        tickers.until(is_quiet)
    return one


def test_a_batch_of_other_groups_signals_needs_no_transaction(
    tickers: Workers, deployment: Deployment, member: Member
) -> None:
    member.clock.stand()
    tickers.step()  # writes what is due by then
    member.commits.clear()
    deployment.say(*(Priced(n=n) for n in range(10)))
    tickers.until(lambda: _read(member) == 10)
    assert (member.commits, _positions(deployment)) == ([], 0)

    member.clock.ahead = 6.0
    tickers.step()
    assert (len(member.commits), _positions(deployment)) == (1, 10)
    tickers.step()
    assert len(member.commits) == 1


def test_such_a_position_is_written_with_the_next_batch(
    tickers: Workers, deployment: Deployment, member: Member
) -> None:
    deployment.say(*(Priced(n=n) for n in range(10)))
    tickers.until(lambda: _read(member) == 10)
    deployment.say(Ticked(n=1))
    tickers.until(lambda: tickers.ticks() == [1])
    assert _positions(deployment) == 11


def test_such_a_position_is_written_when_the_worker_stops(
    tickers: Workers, deployment: Deployment, member: Member
) -> None:
    deployment.say(*(Priced(n=n) for n in range(10)))
    tickers.until(lambda: _read(member) == 10)
    tickers.leave(member)
    assert _positions(deployment) == 10


@pytest.fixture
def nowhere(sqlite: str, kafka: str, tmp_path: Path) -> Iterator[Deployment]:
    """The ticker on a topic that nobody has made."""
    made = Deployment(sqlite, kafka, unique("later"), tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize("creates", [True, False])
def test_a_topic_that_is_not_there_yet(nowhere: Deployment, kafka: str, creates: bool) -> None:
    workers = Workers(nowhere, ticker(nowhere.app))
    options = {"allow.auto.create.topics": creates}
    workers.join("ticked", kafka_options=options)
    for _ in range(20):
        workers.step()
    if not creates:
        make_topic(kafka, nowhere.topic)
    nowhere.say(Ticked(n=1))
    workers.until(lambda: workers.ticks() == [1])
    workers.close()
