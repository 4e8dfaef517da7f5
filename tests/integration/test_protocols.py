"""Rollbacks under every protocol by which a group deals its partitions, while members come and go."""

from __future__ import annotations

import json
import random
import signal
from collections.abc import Callable, Iterator, Mapping

import pytest
from sqlalchemy import Connection, case, select, update
from sqlalchemy.orm import Session

from integration.deployment import Deployment
from integration.findings import CLEAN
from integration.shop import Started, Viewed, count, known, start, ticker, trail
from integration.stepped_workers import Member, Workers
from integration.test_rebalances import Traffic
from oyez.consumers import Application, Handlers
from oyez.consumers.database.tables import position
from oyez.schemas import Event
from support.conflicting_commits import Commits
from support.processes import Program
from support.waiting import eventually

PROTOCOLS: Mapping[str, Mapping[str, str]] = {
    "cooperative": {},
    "range": {"partition.assignment.strategy": "range"},
    "kip-848": {"group.protocol": "consumer"},
}
FENCED = "the position was moved by another"


@pytest.fixture(params=PROTOCOLS)
def options(request: pytest.FixtureRequest) -> Mapping[str, str]:
    """Each protocol in turn."""
    return PROTOCOLS[request.param]


class Trouble:
    """Rolls back what members do: handlers that fail, commits that conflict, positions that are moved back."""

    def __init__(self, deployment: Deployment, group: str) -> None:
        self.failed = 0
        self.conflicts = 0
        self.is_on = True
        self._deployment = deployment
        self._group = group
        self._rng = random.Random(11)

    def handler(self) -> None:
        """Fail, sometimes."""
        if self.is_on and self._rng.random() < 0.02:
            self.failed += 1
            raise RuntimeError("trouble")

    def commits_of(self, member: Member) -> None:
        """Let some of its transactions be in another one's way."""

        def is_in_the_way(_number: int) -> bool:
            if not (self.is_on and self._rng.random() < 0.1):
                return False
            self.conflicts += 1
            return True

        Commits(member.engine, is_in_the_way)

    def moves_back(self) -> None:
        """Somebody rewinds a partition a little: what its owner has in hand is rolled back."""
        number = self._rng.randrange(4)
        lower = case((position.c.position > 5, position.c.position - 5), else_=0)
        ours = (position.c.group_name == self._group, position.c.partition == number)
        with self._deployment.engine.begin() as db:
            db.execute(update(position).where(*ours).values(position=lower))


@pytest.fixture
def trouble(deployment: Deployment) -> Trouble:
    return Trouble(deployment, f"{deployment.app}.page.viewed")


@pytest.fixture
def rough(deployment: Deployment, trouble: Trouble) -> Iterator[Workers]:
    """Workers of a part of the shop, with trouble."""

    def rough_trail(event: Event[Viewed], db: Session) -> None:
        trail(event, db)
        trouble.handler()

    def rough_count(events: list[Event[Viewed]], db: Connection) -> None:
        count(events, db)
        trouble.handler()

    on = Handlers(deployment.app)
    on(Started)(start)
    on(Viewed, name="trail")(rough_trail)
    on(Viewed, name="count", order="none")(rough_count)
    made = Workers(deployment, Application(on, known))
    yield made
    made.close()


def test_rolled_back_batches_while_partitions_are_lost_kept_and_gained(
    rough: Workers,
    deployment: Deployment,
    trouble: Trouble,
    options: Mapping[str, str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    traffic = Traffic(deployment)
    rough.join("session.started")
    viewing: list[Member] = []
    rounds = iter(range(1_000_000))

    def join() -> None:
        viewing.append(rough.join("page.viewed", batch=10, kafka_options=options))
        trouble.commits_of(viewing[-1])

    def more() -> None:
        traffic.more()
        if next(rounds) % 5 == 4:
            trouble.moves_back()

    def dealt(*counts: int) -> Callable[[], bool]:
        return lambda: sorted(len(member.held()) for member in viewing) == sorted(counts)

    join()
    rough.until(dealt(4), each=more)
    join()
    rough.until(dealt(2, 2), each=more)
    join()
    rough.until(dealt(1, 1, 2), each=more)
    rough.leave(viewing.pop(0))
    rough.until(dealt(2, 2), each=more)
    rough.until(lambda: min(trouble.failed, trouble.conflicts, caplog.text.count(FENCED)) > 2, each=more)
    trouble.is_on = False
    traffic.end()
    assert rough.settle() == CLEAN


def test_a_partition_lost_in_mid_batch(deployment: Deployment, options: Mapping[str, str]) -> None:
    """Another worker has it by the time the batch is committed."""
    workers = Workers(deployment, ticker(deployment.app))
    member = workers.join("ticked", sweep_every=3600, kafka_options=options)
    workers.until(lambda: len(member.held()) == 4)
    for partition in range(4):
        deployment.tick(partition, 10 * partition)
    workers.until(lambda: len(workers.ticks()) == 4)

    with deployment.engine.begin() as db:
        lost = update(position).where(position.c.partition == 2)
        db.execute(lost.values(epoch=position.c.epoch + 1, owner="another"))
    for partition in range(4):
        deployment.tick(partition, *range(10 * partition + 1, 10 * partition + 6))
    member.log.gather(20)
    member.step()
    assert len(workers.ticks()) == 4, "all of it was rolled back"
    assert member.held() == {0, 1, 3}
    workers.until(lambda: len(workers.ticks()) == 19)
    assert set(range(20, 26)) & set(workers.ticks()) == {20}

    member.clock.ahead = 11.0  # and the other one was wrong
    workers.until(lambda: len(workers.ticks()) == 24)
    for partition in range(4):
        ours = [n for n in workers.ticks() if n // 10 == partition]
        assert ours == list(range(10 * partition, 10 * partition + 6))
    workers.close()


def test_processes_that_join_and_leave_while_batches_are_rolled_back(
    deployment: Deployment, trouble: Trouble, options: Mapping[str, str]
) -> None:
    traffic = Traffic(deployment)
    listening: list[Program] = []

    def owners() -> set[int]:
        """The processes that have taken partitions of the group in trouble."""
        rows = select(position.c.owner).where(position.c.group_name == f"{deployment.app}.page.viewed")
        with deployment.engine.connect() as db:
            return {int(owner.split("/")[1]) for owner in db.execute(rows).scalars() if owner}

    def flowing_until(condition: Callable[[], object]) -> None:
        def is_so() -> bool:
            traffic.more()
            trouble.moves_back()
            return bool(condition())

        eventually(is_so, 60, every=0.1)

    def join() -> None:
        one = deployment.listen(1, kafka_options=json.dumps(options), batch=10)
        listening.append(one)
        flowing_until(lambda: owners() & {child.pid for child in one.children()})

    def leave() -> None:
        one = listening.pop(0)
        workers = {child.pid for child in one.children()}
        one.send(signal.SIGTERM)
        flowing_until(lambda: not owners() & workers)
        assert one.wait() == 0, one.output()

    for step in (join, join, leave, join, leave):
        step()
    traffic.end()
    assert deployment.settle(120) == CLEAN, deployment.logs()
    assert FENCED in deployment.logs()
    assert [program.stop() for program in listening] == [0]
    with deployment.engine.connect() as db:
        assert set(db.execute(select(position.c.halted)).scalars()) == {None}
