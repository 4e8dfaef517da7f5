"""Workers that are stepped in this process, in turn, over the real log and database."""

from __future__ import annotations

import time
from collections.abc import Callable

from sqlalchemy import select

from integration.findings import Findings, count_rows, expected_effects, find
from integration.shop import ticks
from integration.site import Site
from oyez.consumers import Application, ListenSettings
from oyez.consumers.application import Group
from oyez.consumers.assembly import engine_from, kafka_log, make_worker
from oyez.consumers.logs.log import Log


class Member:
    """One worker. Its parts are at hand for tests that break them."""

    def __init__(self, group: Group, settings: ListenSettings) -> None:
        self.group = group
        self.engine = engine_from(settings)
        self.log: Log = kafka_log(self.group, settings)
        self.worker = make_worker(self.group, settings, engine=self.engine, source=self.log)

    def step(self) -> int:
        return self.worker.step()

    def held(self) -> set[int]:
        """The numbers of its partitions."""
        return {partition.number for partition in self.log.positions()}

    def leave(self) -> None:
        """As on SIGTERM."""
        self.worker.run(lambda: True)
        self.engine.dispose()


class Crew:
    """Workers of one application at one site."""

    def __init__(self, site: Site, application: Application) -> None:
        self.site = site
        self.application = application
        self.members: list[Member] = []
        self._joined: set[Group] = set()

    def join(self, group: str, **settings: object) -> Member:
        """A new worker of a group, by its short name."""
        member = Member(self.application.group(group), self.site.settings(**settings))
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
        announced = self.site.announced()
        names = {handler.name for group in self._joined for handler in group.handlers}
        wanted = sum(n for (name, _, _), n in expected_effects(announced).items() if name in names)
        self.until(lambda: self.site.handled() >= wanted and not count_rows(self.site.engine, "parked"))
        return find(self.site.engine, announced, names)

    def ticks(self) -> list[int]:
        """What the handler of ticks has noted, in its order."""
        with self.site.engine.connect() as db:
            return list(db.execute(select(ticks.c.n).order_by(ticks.c.seq)).scalars())

    def close(self) -> None:
        for member in list(self.members):
            self.leave(member)
