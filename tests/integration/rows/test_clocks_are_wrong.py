"""Clocks that are wrong: the workers', by months and jumping; the database's own, for a while."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import cycle
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from consumers.cli.running import APPS, Running, Shop, one_line
from integration.findings import count_rows
from support.clocks import DAY, HOUR, InjectedDatabaseClock, WrongClock
from support.tables import knowing_the_tables
from support.waiting import eventually

FARTHEST = (30 * DAY, -30 * DAY)
pytestmark = pytest.mark.timeout(600)
VIEWS, STARTS = "cli.page.viewed", "cli.session.started"
SLOW = 240.0  # s


class Site:
    """The shop on a spool and a PostgreSQL, with processes by clocks of their own."""

    def __init__(self, folder: Path, database: str) -> None:
        self._folder = folder
        (folder / "spool").mkdir()
        self._settings = {
            "OYEZ_APP": "shop:on",
            "OYEZ_TRANSPORT": "spool",
            "OYEZ_SPOOL": str(folder / "spool"),
            "OYEZ_SPOOLS": json.dumps([str(folder / "spool")]),
            "OYEZ_DATABASE": database,
            "OYEZ_SOURCE": "web-1",
            "OYEZ_SWEEP_EVERY": "0.5",
            "OYEZ_MAX_CLOCK_SKEW": "1e9",
        }
        self.engine = knowing_the_tables(create_engine(database))
        self._announced: Counter[str] = Counter()
        self._ends = ExitStack()
        self._shops = 0
        self.by().print("db", "upgrade")
        with self.engine.begin() as db:
            db.execute(text("CREATE TABLE noted (what text)"))

    def by(self, off: float = 0.0) -> Shop:
        """The shop's commands, by a clock that is off by so many seconds: its file is in their folder."""
        self._shops += 1
        folder = self._folder / str(self._shops)
        folder.mkdir()
        return Shop(folder, {**self._settings, **WrongClock(folder / "clock", off).for_python(APPS)})

    def listen(self, *groups: str, off: float = 0.0) -> Running:
        """`oyez listen`, until the test ends."""
        return self._ends.enter_context(self.by(off).running("listen", *groups))

    def views(self, *urls: str) -> None:
        """Pages are viewed, each in a session of its own."""
        self._announced.update(urls)
        lines = [json.dumps({"session_id": url, "url": url}) for url in urls]
        self.by().print("announce", VIEWS, given="\n".join(lines))

    def starts(self, *sessions: str) -> None:
        """Those sessions are started."""
        self._announced["started"] += len(sessions)
        lines = [json.dumps({"session_id": session}) for session in sessions]
        self.by().print("announce", STARTS, given="\n".join(lines))

    def rows(self, *names: str) -> int:
        """How many rows some of Oyez's tables have."""
        return count_rows(self.engine, *names)

    def is_done(self) -> bool:
        """Whether each event was handled once, and nothing is parked or dead."""
        with self.engine.connect() as db:
            found = Counter(db.execute(text("SELECT what FROM noted")).scalars())
        assert found <= self._announced, found - self._announced
        assert self.rows("dead") == 0
        return found == self._announced and self.rows("parked") == 0

    def close(self) -> None:
        self._ends.close()
        self.engine.dispose()


@pytest.fixture
def site(postgres: str, tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path, postgres)
    yield made
    made.close()


def test_workers_whose_clocks_are_months_apart_and_jump(site: Site) -> None:
    """Nothing is dead, doubled, forgotten, or waits for a time that only one clock has."""
    for off in FARTHEST:
        site.listen(VIEWS, STARTS, off=off)
    jumping = WrongClock(site.listen(VIEWS, STARTS).log.with_name("clock"))
    offsets = cycle([*FARTHEST, 2 * DAY, 0.0, -HOUR])

    def is_done() -> bool:
        jumping.turn(next(offsets))
        return site.is_done()

    sessions = [f"/{n}" for n in range(60)]
    site.views(*sessions)
    site.starts(*sessions)
    eventually(is_done, SLOW, every=0.3)
    taken = site.rows("inbox")
    for off in FARTHEST:
        site.by(2 * off).print("sweep")
    assert site.rows("inbox") == taken == 60 * 2, "what was taken is not forgotten"


def test_a_worker_whose_clock_is_ahead_gives_nothing_up_and_puts_nothing_off(site: Site) -> None:
    sessions = [f"/{n}" for n in range(200)]
    site.views(*sessions)
    site.listen(VIEWS)
    eventually(lambda: site.rows("parked") == 200, SLOW)
    site.by(2 * DAY).print("sweep", "--json")
    assert (site.rows("parked"), site.rows("dead")) == (200, 0)
    site.listen(STARTS, off=HOUR)
    site.starts(*sessions)
    eventually(site.is_done, SLOW)


def test_a_database_whose_clock_jumps_for_a_while(site: Site) -> None:
    """It is said; as long as it may be a mistake nothing is given up, forgotten, or put off by it."""
    clock = InjectedDatabaseClock(site.engine)
    sessions = [f"/{n}" for n in range(50)]
    site.views(*sessions)
    listening = site.listen(VIEWS, STARTS)
    eventually(lambda: site.rows("parked") == 50, SLOW)
    clock.turn(30 * DAY)
    eventually(lambda: listening.said().count("the database's clock has leapt by +2592") == 2, SLOW)
    site.starts(*sessions)
    eventually(site.is_done, SLOW)
    clock.turn(0.0)
    eventually(lambda: listening.said().count("the database's clock counts again") == 2, SLOW)
    assert site.rows("inbox") == 100


@pytest.mark.parametrize(("off", "words"), [(HOUR, "s ahead of"), (-30 * DAY, "s behind")])
def test_a_machine_whose_clock_is_wrong_begins_nothing(site: Site, off: float, words: str) -> None:
    shop = site.by(off)
    for command in (["listen"], ["listen", "--limit", "1"], ["sweep"]):
        one_line(shop.run(*command, OYEZ_MAX_CLOCK_SKEW="300"), 2, words, "OYEZ_MAX_CLOCK_SKEW")
