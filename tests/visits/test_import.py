"""Whole imports: several server processes, a real broker, workers, both databases."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import func, select

import visits
from oyez.consumers.database.migrating import upgrade
from support.services import unique
from visits import accesslog, commands, database, processes, reports
from visits.driver import Outcome, Plan, Watch
from visits.errors import VisitsError
from visits.generate import write_log
from visits.processes import Child
from visits.progress import Progress
from visits.sessions import Visit, steps_of, visits_of
from visits.tables import trail
from visits.tables import visits as visits_table
from visits.work import Run, Work

CLEAN = "lost 0, doubled 0, overtaken 0, equal to the in-order result"
VIEWS = 400

Import = Callable[[int, Plan, Watch], Outcome]


@pytest.fixture
def work(tmp_path: Path) -> Work:
    """A folder for the import."""
    return Work(tmp_path / "work")


@pytest.fixture
def run(tmp_path: Path, kafka: str, database: str) -> Run:
    """An import of a generated log by three servers."""
    log = tmp_path / "access.log"
    write_log(log, views=VIEWS, seed=11, visitors=20)
    return Run(str(log), 3, kafka, unique("visits"), database)


def expected(run: Run) -> dict[str, Visit]:
    """The visits of the log."""
    return visits_of(steps_of(accesslog.read(Path(run.log)).views))


def test_three_servers_of_which_one_is_late(run: Run, work: Work) -> None:
    engine = database.opened(run.database)
    looks: list[Progress] = []
    plan = Plan(pause=0.005, delays={1: 1.0})
    outcome = commands.import_log(run, plan, work, engine, looks.append)
    assert str(commands.check(run, work, engine)) == CLEAN
    events = VIEWS + len(expected(run))
    assert outcome.progress.announced == outcome.progress.handled == events
    assert outcome.progress.released == outcome.progress.ever_parked > 0
    assert (outcome.progress.parked, outcome.progress.dead, outcome.progress.lag) == (0, 0, 0)
    assert any(0 < look.handled < events for look in looks)
    with database.connected(engine) as db:
        assert reports.report(db).page_views == VIEWS
        assert database.visits_in(db) == expected(run)
    engine.dispose()


def test_a_database_takes_one_import_until_it_is_thrown_away(run: Run, work: Work) -> None:
    engine = database.opened(run.database)
    work.create()
    log = accesslog.read(Path(run.log))
    database.begin_import(engine, run, log)
    with pytest.raises(VisitsError, match="--replace"):
        database.begin_import(engine, run, log)
    database.forget(engine)
    with pytest.raises(VisitsError, match="no import in"):
        database.existing(run.database)
    database.begin_import(engine, run, log)
    engine.dispose()


def test_a_listener_that_is_killed_loses_and_doubles_nothing(run: Run, work: Work) -> None:
    engine = database.opened(run.database)
    with processes.ended_together() as children:
        work.create()
        upgrade(engine)
        children += [
            processes.listener(work.folder.parent, f"mine-{n}", 2, environment(run)) for n in range(2)
        ]
        outcome = commands.import_log(run, Plan(listeners=0, pause=0.008), work, engine, killing(children[0]))
        assert not children[0].runs
    assert outcome.progress.handled == VIEWS + len(expected(run))
    assert str(commands.check(run, work, engine)) == CLEAN
    engine.dispose()


def environment(run: Run) -> dict[str, str]:
    """The settings of workers that are not started by the import."""
    return {"OYEZ_KAFKA": run.kafka, "OYEZ_TOPIC": run.topic, "OYEZ_DATABASE": run.database}


def killing(child: Child) -> Watch:
    """Kill a listener and its workers with SIGKILL once some events were handled."""

    def watch(progress: Progress) -> None:
        if progress.handled > VIEWS // 4 and child.runs:
            for pid in [child.pid, *children_of(child.pid)]:
                os.kill(pid, signal.SIGKILL)

    return watch


def children_of(pid: int) -> list[int]:
    """The processes that a process has forked, as Linux tells."""
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in path.read_text().split()] if path.exists() else []


def visits_command(folder: Path, *arguments: str, status: int = 0) -> str:
    """What `python -m visits` prints, run in this folder."""
    paths = {"PYTHONPATH": str(Path(visits.__file__).parent.parent)}
    done = subprocess.run(
        [sys.executable, "-m", "visits", *arguments],
        cwd=folder,
        env={**os.environ, **paths},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, bool(done.stderr)) == (status, status != 0), done.stderr
    return done.stdout


def test_the_commands_one_after_the_other(run: Run, tmp_path: Path) -> None:
    where = ["--kafka", run.kafka, "--database", run.database]
    summary = visits_command(tmp_path, "import", run.log, "--servers", "5", "--replace", *where, "--json")
    assert json.loads(summary)["handled"] == VIEWS + len(expected(run))
    assert visits_command(tmp_path, "check") == f"{CLEAN}\n"
    figures = json.loads(visits_command(tmp_path, "report", "--json"))
    assert (figures["page_views"], figures["visits"]) == (VIEWS, len(expected(run)))
    rows = [line.split(",")[:4] for line in visits_command(tmp_path, "export").splitlines()[1:]]
    assert rows == [
        [v.session_id, str(v.started_at), str(v.ended_at), str(v.page_views)]
        for v in sorted(expected(run).values(), key=lambda visit: visit.session_id)
    ]
    spoil(run)
    found = visits_command(tmp_path, "check", status=3)
    assert found == "lost 0, doubled 1, overtaken 1, not equal to the in-order result\n"


def spoil(run: Run) -> None:
    """Count one view too many in one visit, and change the hash of another's trail."""
    first, second, *_ = sorted(expected(run))
    engine = database.opened(run.database)
    with database.connected(engine) as db:
        counted = visits_table.update().where(visits_table.c.session_id == first)
        db.execute(counted.values(page_views=visits_table.c.page_views + 1))
        source = select(func.min(trail.c.source)).where(trail.c.session_id == second).scalar_subquery()
        db.execute(
            trail.update().where(trail.c.session_id == second, trail.c.source == source).values(h="else")
        )
    engine.dispose()
