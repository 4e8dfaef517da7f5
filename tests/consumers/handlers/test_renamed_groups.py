"""A group that is renamed has all that it had, whichever table it is in."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import pytest
from sqlalchemy import Table, insert, select, update
from sqlalchemy.orm import Session

from consumers.handlers.test_recorded_handlers import record, rename, shop
from consumers.pipeline import Opened, Pipeline, Play, Viewed, note
from oyez.consumers import Handlers
from oyez.consumers.admin import Renaming
from oyez.consumers.database import Database, members, metadata, positions, releasing
from oyez.consumers.database.sample_table import sample
from oyez.consumers.database.tables import prerequisite
from oyez.consumers.database.tables import releasing as left
from oyez.consumers.logs.offsets import Ends, GroupActive
from oyez.consumers.logs.spool.inspection import SpoolInspection
from oyez.producers import SettingsError
from oyez.schemas.declaration import Prerequisite

OLD, NEW, OTHER = "shop.viewed", "shop.visits", "shop.placed"
OF_PROCESSES = "oyez_member"


def row_of(table: Table, group: str, **said: Any) -> dict[str, Any]:
    """A row with something in each column, of the application of these tests."""
    numbers = (int, float, bool)
    row: dict[str, Any] = {
        one.name: one.type.python_type(1) if one.type.python_type in numbers else "1"
        for one in table.columns
        if one.name not in ("id", "value")
    }
    return row | {"group_name": group} | ({"app": "shop"} if "app" in table.c else {}) | said


def named(pipeline: Pipeline) -> dict[str, list[str]]:
    """The groups that each table names."""
    with pipeline.engine.connect() as db:
        return {
            table.name: sorted(db.execute(select(table.c.group_name)).scalars())
            for table in metadata.sorted_tables
            if "group_name" in table.c
        }


def put(pipeline: Pipeline, *rows: tuple[Table, dict[str, Any]]) -> None:
    with pipeline.engine.begin() as db:
        for table, row in rows:
            db.execute(insert(table), [row])


def test_no_table_keeps_the_old_name(play: Play) -> None:
    pipeline = play(shop())
    tables = [table for table in metadata.sorted_tables if "group_name" in table.c]
    for n, group in enumerate((OLD, OTHER)):
        unique = {"handler": f"h{n}", "minute": 7}
        put(
            pipeline,
            *(
                (table, row_of(table, group, **{name: unique[name] for name in unique if name in table.c}))
                for table in tables
            ),
        )
    rename(pipeline, OLD, NEW)
    assert named(pipeline) == {
        table.name: sorted([OTHER, OLD if table.name == OF_PROCESSES else NEW]) for table in tables
    }


def test_what_both_have_stays_once(play: Play) -> None:
    pipeline = play(shop())
    met = {"signal": "opened", "subject": "s1"}
    put(pipeline, *((left, {"group_name": group, **met}) for group in (OLD, NEW)))
    put(pipeline, (left, {"group_name": OLD, **met, "subject": "s2"}))
    put(pipeline, *((sample, row_of(sample, group, minute=7)) for group in (OLD, NEW)))
    rename(pipeline, OLD, NEW)
    assert sorted(pipeline.rows("releasing", "group_name", "subject")) == [(NEW, "s1"), (NEW, "s2")]
    assert pipeline.rows("sample", "group_name") == [NEW]


def test_what_is_being_released_goes_on_under_the_new_name(play: Play) -> None:
    """More wait for a prerequisite that is met than are released at once, and the group is renamed then."""
    pipeline = play(shop())
    record(pipeline)
    pipeline.handle(Viewed(k="k1", n=1), Viewed(k="k2", n=2))
    assert len(pipeline.parked()) == 2
    with pipeline.engine.begin() as db:
        db.execute(update(prerequisite).values(met_at=pipeline.clock.now))
        releasing.leave(db, "shop", [Prerequisite("opened", "s1")])
    pipeline.close()
    assert rename(pipeline, OLD, NEW) == 1
    on = Handlers("shop")

    @on(Opened)
    def opened(event: Opened) -> None: ...

    @on(Viewed, group="visits")
    def view(event: Viewed, db: Session) -> None:
        note(db, "view", event.n)

    again = play(on, broker=pipeline.broker)
    record(again)
    again.run()
    assert sorted(again.effects("view")) == [1, 2]
    assert again.is_clean()


class Asked:
    """A log of which the pipeline's groups have read, and whose workers the database knows."""

    where = "the log"

    def __init__(self, pipeline: Pipeline, topics: Collection[str] = ("pipeline",)) -> None:
        self.pipeline = pipeline
        self.topics = topics

    def offsets(self, database: Database) -> Any:
        return self

    def inspection(self) -> Any:
        return SpoolInspection([], lambda db: self.pipeline.clock.now)

    def ends(self, topics: Collection[str]) -> list[Ends]:
        with self.pipeline.engine.connect() as db:
            known = positions.logs_of(db, OLD)
        return [Ends(topic, topic_id, {}) for topic, topic_id in known if topic in self.topics]


class Late(Asked):
    """A worker comes while the group is being renamed."""

    looks = 0

    def inspection(self) -> Any:
        return self

    def workers(self, groups: Collection[str], database: Database) -> Mapping[str, int]:
        self.looks += 1
        return {**super().inspection().workers(groups, database), OLD: self.looks - 1}


def renaming(pipeline: Pipeline, log: Any) -> Renaming:
    return Renaming(Database(pipeline.engine), log, "shop", OLD, NEW)


@pytest.fixture
def viewed(play: Play) -> Pipeline:
    """A group that has read something."""
    pipeline = play(shop())
    record(pipeline)
    pipeline.handle(Viewed(n=1))
    return pipeline


@pytest.mark.parametrize("group", [OLD, NEW])
def test_while_a_worker_runs_nothing_is_renamed(viewed: Pipeline, group: str) -> None:
    """It would begin anew under the old name, and handle all of it twice."""
    with viewed.engine.begin() as db:
        members.beat(db, group, "w1", viewed.clock.now)
    before = named(viewed)
    with pytest.raises(GroupActive, match=f"{group} has 1 worker:"):
        renaming(viewed, Asked(viewed)).perform()
    assert named(viewed) == before
    with viewed.engine.begin() as db:
        members.leave(db, group, "w1")
    assert renaming(viewed, Asked(viewed)).perform() == 1


def test_a_worker_that_comes_meanwhile_stops_it(viewed: Pipeline) -> None:
    before = named(viewed)
    with pytest.raises(GroupActive, match=f"{OLD} has 1 worker:"):
        renaming(viewed, Late(viewed)).perform()
    assert named(viewed) == before


def test_another_log_does_not_know_its_workers(viewed: Pipeline) -> None:
    before = named(viewed)
    with pytest.raises(SettingsError, match=r"shop\.viewed has read pipeline, but not from the log"):
        renaming(viewed, Asked(viewed, topics=())).perform()
    assert named(viewed) == before
