"""A worker that is not the owner any more changes nothing; one that still is loses nothing."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from integration.deployment import Deployment
from integration.stepped_workers import Member, Workers
from oyez.consumers.database.tables import inbox, position
from support.waiting import eventually


def _rows(deployment: Deployment) -> dict[int, Any]:
    with deployment.engine.connect() as db:
        return {row.partition: row for row in db.execute(select(position))}


def _taken(deployment: Deployment) -> set[str]:
    with deployment.engine.connect() as db:
        return set(db.execute(select(inbox.c.event_id)).scalars())


def _alter(deployment: Deployment, partition: int, **values: Any) -> None:
    """As another process would."""
    with deployment.engine.begin() as db:
        db.execute(update(position).where(position.c.partition == partition).values(**values))


def _take_over(deployment: Deployment, partition: int) -> None:
    _alter(deployment, partition, epoch=position.c.epoch + 1, owner="another")


@pytest.fixture
def member(tickers: Workers) -> Member:
    """A worker that holds all four partitions."""
    one = tickers.join("ticked", sweep_every=3600)
    tickers.until(lambda: len(one.held()) == 4)
    return one


def test_a_fenced_worker_changes_nothing_and_reads_on_what_it_still_owns(
    tickers: Workers, deployment: Deployment, member: Member
) -> None:
    deployment.tick(0, 1)
    deployment.tick(1, 2)
    tickers.until(lambda: sorted(tickers.ticks()) == [1, 2])
    before = _rows(deployment)

    _take_over(deployment, 0)
    deployment.tick(0, 10, 11)
    deployment.tick(1, 20, 21)
    member.log.gather(4)
    member.step()
    assert tickers.ticks()[2:] == []
    assert _taken(deployment) == {"0-1", "1-2"}
    assert member.held() == {1, 2, 3}

    tickers.until(lambda: tickers.ticks()[2:] == [20, 21])
    after = _rows(deployment)
    assert after[0].position == before[0].position
    assert after[0].owner == "another"


def test_a_partition_taken_by_mistake_is_taken_back(
    tickers: Workers, deployment: Deployment, member: Member
) -> None:
    _take_over(deployment, 0)
    deployment.tick(0, 1)
    tickers.until(lambda: member.held() == {1, 2, 3})
    tickers.step()
    assert member.held() == {1, 2, 3}

    member.clock.ahead = 11.0
    tickers.until(lambda: tickers.ticks() == [1])
    assert member.held() == {0, 1, 2, 3}


def test_a_frozen_worker_is_replaced_and_changes_nothing_when_it_wakes(
    tickers: Workers, deployment: Deployment, tmp_path: Path
) -> None:
    trap = tmp_path / "freeze"
    frozen = deployment.run("freezer", deployment.app, str(trap))
    eventually(lambda: {row.owner.split("/")[1] for row in _rows(deployment).values()} == {str(frozen.pid)})
    deployment.tick(0, 99)
    eventually(lambda: tickers.ticks() == [99])
    trap.touch()
    for partition in range(4):
        deployment.tick(partition, *range(10 * partition, 10 * partition + 3))
    eventually(lambda: not trap.exists())

    successor = tickers.join("ticked")
    tickers.until(lambda: len(tickers.ticks()) == 13)
    assert successor.held() == {0, 1, 2, 3}
    frozen.send(signal.SIGCONT)
    tickers.until(lambda: len(successor.held()) == 2)
    tickers.until(
        lambda: sum(row.owner.endswith(f"/{frozen.pid}") for row in _rows(deployment).values()) == 2
    )
    for partition in range(4):
        deployment.tick(partition, 100 + partition)
    tickers.until(lambda: len(tickers.ticks()) == 17)
    every = {10 * partition + n for partition in range(4) for n in range(3)} | set(range(99, 104))
    assert sorted(tickers.ticks()) == sorted(every)
    # Which it hears first is chance: that its position was moved, or from Kafka that it was thrown out.
    heard = ("the position was moved by another", "revoking assignment and rejoining")
    assert any(said in frozen.output() for said in heard)
    assert frozen.stop() == 0


def test_a_position_moved_back_is_read_again_and_the_inbox_drops_it(
    tickers: Workers, deployment: Deployment, member: Member
) -> None:
    deployment.tick(0, 1, 2, 3)
    tickers.until(lambda: tickers.ticks() == [1, 2, 3])
    _alter(deployment, 0, position=1)
    deployment.tick(0, 4)
    deployment.tick(1, 5)
    tickers.until(lambda: sorted(tickers.ticks()) == [1, 2, 3, 4, 5])
    tickers.until(lambda: _rows(deployment)[0].position == 4)


def test_a_position_moved_forward_is_skipped_to(
    tickers: Workers, deployment: Deployment, member: Member
) -> None:
    deployment.tick(0, 1)
    tickers.until(lambda: tickers.ticks() == [1])
    _alter(deployment, 0, position=3)
    deployment.tick(0, 2, 3, 4)
    deployment.tick(1, 5)
    tickers.until(lambda: sorted(tickers.ticks()) == [1, 4, 5])


def _lose_the_answer(member: Member) -> list[int]:
    """The next commit is done, but its answer does not arrive."""
    dialect = member.engine.dialect
    done: list[int] = []

    def do_commit(connection: Any) -> None:
        connection.commit()
        if not done:
            done.append(1)
            connection.dbapi_connection.close()
            driver: Any = dialect.dbapi
            if dialect.name == "sqlite":
                raise driver.ProgrammingError("Cannot operate on a closed database.")
            raise driver.OperationalError("server closed the connection unexpectedly")

    dialect.do_commit = do_commit  # type: ignore[method-assign]
    return done


def test_a_commit_whose_answer_is_lost_is_neither_lost_nor_done_again(
    tickers: Workers, deployment: Deployment, member: Member
) -> None:
    lost = _lose_the_answer(member)
    deployment.tick(0, 1, 2)
    tickers.until(lambda: tickers.ticks() == [1, 2])
    assert lost
    deployment.tick(0, 3)
    deployment.tick(1, 4)
    tickers.until(lambda: sorted(tickers.ticks()) == [1, 2, 3, 4])
    assert {number: row.position for number, row in _rows(deployment).items()} == {0: 3, 1: 1, 2: 0, 3: 0}
