"""Workers that are stepped in this process, in turn, over the real log and database."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, cast

from sqlalchemy import event

from integration.deployment import Deployment
from integration.findings import Announced, Findings, count_rows, expected_effects, find
from oyez.consumers import Application, ListenSettings
from oyez.consumers.core.record import Record
from oyez.consumers.handlers.application import Group
from oyez.consumers.logs.log import Log
from oyez.consumers.run.assembly import log_for, make_worker
from oyez.consumers.run.engines import journaling_engine_from


class Clock:
    """Time that can be turned forward."""

    def __init__(self) -> None:
        self.ahead = 0.0
        self._now: Callable[[], float] = time.time

    def __call__(self, _db: object = None) -> float:
        return self._now() + self.ahead

    def stand(self) -> None:
        """From now on it moves only as it is turned, however long the machine takes."""
        now = time.time()
        self._now = lambda: now


class Gathering:
    """A log that returns nothing until it can return so many records at once, when it is asked to."""

    def __init__(self, log: Any) -> None:
        self.inner = log
        self._count = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def gather(self, count: int) -> None:
        self._count = count

    def poll(self, limit: int, wait: float) -> Sequence[Record]:
        records = list(self.inner.poll(limit, wait))
        while len(records) < self._count:
            records.extend(self.inner.poll(limit, wait))
        self._count = 0
        return records


class Member:
    """One worker. Its parts are at hand for tests that break them."""

    def __init__(self, group: Group, settings: ListenSettings) -> None:
        self.group = group
        self.engine = journaling_engine_from(settings)
        self.commits: list[object] = []
        event.listen(self.engine, "commit", self.commits.append)
        self.clock = Clock()
        self.log = Gathering(log_for(self.group, settings, self.engine))
        self.worker = make_worker(
            self.group,
            settings,
            engine=self.engine,
            source=cast("Log", self.log),
            clock=self.clock,
            timer=self.clock,
        )

    def step(self) -> int:
        return self.worker.step()

    def held(self) -> set[int]:
        """The numbers of its partitions."""
        return {partition.number for partition in self.log.positions()}

    def leave(self) -> None:
        """As on SIGTERM."""
        self.worker.run(lambda: True)
        self.engine.dispose()


class Workers:
    """Workers of one application at one site."""

    def __init__(self, deployment: Deployment, application: Application) -> None:
        self.deployment = deployment
        self.application = application
        self.members: list[Member] = []
        self._joined: set[Group] = set()

    def join(self, group: str, **settings: object) -> Member:
        """A new worker of a group, by its short name."""
        member = Member(self.application.group(group), self.deployment.settings(**settings))
        self.members.append(member)
        self._joined.add(member.group)
        return member

    def leave(self, member: Member) -> None:
        """It stops as on SIGTERM."""
        self.members.remove(member)
        member.leave()

    def step(self) -> None:
        for member in list(self.members):
            member.step()

    def until(
        self, condition: Callable[[], object], timeout: float = 60.0, each: Callable[[], None] = lambda: None
    ) -> None:
        """Step until `condition()`, doing `each()` before each round."""
        limit = time.monotonic() + timeout
        while not condition():
            held = [(member.group.name, member.held()) for member in self.members]
            assert time.monotonic() < limit, f"not so after {timeout:g} s: {held}"
            each()
            self.step()

    def settle(self) -> Findings:
        """Step until every effect of the groups that were joined is there and nothing is parked; then compare."""
        announced = self.deployment.announced()
        wanted = sum(n for (name, _, _), n in expected_effects(announced).items() if name in self._handlers())
        self.until(
            lambda: self.deployment.handled() >= wanted and not count_rows(self.deployment.engine, "parked")
        )
        return self.compare(announced)

    def compare(self, announced: list[Announced]) -> Findings:
        """What the groups that were joined did with these events."""
        return find(self.deployment.engine, announced, self._handlers())

    def _handlers(self) -> set[str]:
        return {handler.name for group in self._joined for handler in group.handlers}

    def ticks(self) -> list[int]:
        """What the handler of ticks has noted, in its order."""
        return self.deployment.ticks()

    def close(self) -> None:
        for member in list(self.members):
            self.leave(member)
