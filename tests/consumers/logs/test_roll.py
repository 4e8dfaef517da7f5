"""The members of one process give one sign of life for all, and each is told of the others of its group."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from oyez.consumers.database import Database, make_engine, metadata
from oyez.consumers.logs.spool.members import Members
from oyez.consumers.logs.spool.roll import ALIVE, BEAT, FRESH, Roll

GROUPS = [f"shop.g{n}" for n in range(20)]


class House:
    """Two processes, with a member in each group; time passes when it is told to."""

    def __init__(self, url: str) -> None:
        self.now = 1_000.0
        self.engine: Engine = make_engine(url)
        self.commits: list[object] = []
        event.listen(self.engine, "commit", self.commits.append)
        self.here, self.there = self.process("a"), self.process("b")

    def process(self, name: str) -> dict[str, Members]:
        database = Database(self.engine)
        roll = Roll(database, lambda _: self.now, lambda: self.now, FRESH)
        return {group: Members(database, group, f"{name}/{group}", roll=roll) for group in GROUPS}

    def beat(self) -> None:
        for members in (self.here, self.there):
            for member in members.values():
                member.all()

    def pass_time(self, seconds: float) -> None:
        """With looks of both in between."""
        end = self.now + seconds
        while self.now < end:
            self.now += 0.5
            self.beat()


@pytest.fixture
def house(pipeline_database: str) -> Iterator[House]:
    made = House(pipeline_database)
    yield made
    made.engine.dispose()


def test_each_sees_the_other_of_its_group_and_nobody_else(house: House) -> None:
    house.pass_time(1.0)
    for group in GROUPS:
        assert house.here[group].all() == [f"a/{group}", f"b/{group}"]
        assert house.there[group].others() == [f"a/{group}"]


def test_one_transaction_is_enough_for_all_of_a_process(house: House) -> None:
    house.pass_time(2.0)
    house.commits.clear()
    house.pass_time(10 * BEAT)
    assert len(house.commits) <= 2 * 10, "of two processes"
    assert house.here[GROUPS[0]].others() == [f"b/{GROUPS[0]}"]


def test_who_has_left_is_not_brought_back_by_the_others(house: House) -> None:
    house.pass_time(1.0)
    house.there[GROUPS[3]].leave()
    del house.there[GROUPS[3]]
    house.pass_time(2 * ALIVE)
    assert house.here[GROUPS[3]].others() == []
    assert house.here[GROUPS[4]].others() == [f"b/{GROUPS[4]}"]


def test_a_process_that_says_nothing_is_gone(house: House) -> None:
    house.pass_time(1.0)
    house.there.clear()
    house.pass_time(ALIVE + BEAT)
    assert all(member.others() == [] for member in house.here.values())


def test_who_was_told_to_stop_waits_for_no_other_writer(tmp_path: Path) -> None:
    """The roll of a process knows nothing of that; each member's database does."""
    engine = make_engine(f"sqlite:///{tmp_path / 'oyez.db'}")
    metadata.create_all(engine)

    def wait(_seconds: float) -> None:
        raise AssertionError("it waits as if there was time")

    roll = Roll(Database(engine, sleep=wait), lambda _: 1_000.0, lambda: 0.0, FRESH)
    member = Members(Database(engine, sleep=lambda _: None, stopping=lambda: 99.0), "shop.g", "a", roll=roll)
    assert member.all() == ["a"]
    with closing(sqlite3.connect(tmp_path / "oyez.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        member.leave()
    engine.dispose()
