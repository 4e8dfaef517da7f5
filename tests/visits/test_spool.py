"""The visits application with no service: read while it is written, by one sweep, and from copies of the files."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from oyez.consumers.database import make_engine
from oyez.consumers.database.migrating import upgrade
from visits import commands, database, reports, tables
from visits.driver import Plan, environment_of
from visits.generate import write_log
from visits.work import Run, Work

CLEAN = "lost 0, doubled 0, overtaken 0, equal to the in-order result"
VIEWS = 300
OYEZ = str(Path(sys.executable).with_name("oyez"))


@pytest.fixture
def run(tmp_path: Path) -> Run:
    log = tmp_path / "access.log"
    write_log(log, views=VIEWS, seed=5, visitors=20)
    return Run(str(log), 3, "", "visits", f"sqlite:///{tmp_path}/visits.db")


def exported(url: str) -> str:
    out = io.StringIO()
    engine = make_engine(url)
    with database.connected(engine) as db:
        reports.export(db, out)
        visits, landings = database.visits_in(db), database.landings_in(db)
    engine.dispose()
    assert landings == {session: [visit.entry_page] for session, visit in visits.items()}
    return out.getvalue()


def sweep(run: Run, work: Work, spool: Path, url: str) -> str:
    """One `oyez sweep` into an empty database; what was exported then."""
    engine = make_engine(url)
    upgrade(engine)
    tables.metadata.create_all(engine)
    engine.dispose()
    settings = {**environment_of(run, work), "OYEZ_SPOOL": str(spool), "OYEZ_DATABASE": url}
    path = os.pathsep.join([str(Path(commands.__file__).parent.parent), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [OYEZ, "sweep"],
        env={**os.environ, **settings, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return exported(url)


def test_live_swept_and_copied_come_to_the_same(run: Run, tmp_path: Path) -> None:
    work = Work(tmp_path / "work")
    engine = database.opened(run.database)
    outcome = commands.import_log(run, Plan(pause=0.003, delays={1: 3.0}), work, engine, lambda _seen: None)
    assert str(commands.check(run, work, engine)) == CLEAN
    assert outcome.progress.ever_parked > 0
    assert outcome.progress.dead == outcome.progress.lag == 0
    engine.dispose()
    live = exported(run.database)
    assert live.count("\n") > 20

    assert sweep(run, work, work.spool, f"sqlite:///{tmp_path}/swept.db") == live

    shutil.copytree(work.spool, tmp_path / "elsewhere" / "all")
    shutil.rmtree(work.spool)
    assert sweep(run, work, tmp_path / "elsewhere", f"sqlite:///{tmp_path}/copied.db") == live


def test_what_nobody_listens_to_waits_in_the_files(run: Run, tmp_path: Path) -> None:
    work = Work(tmp_path / "work")
    engine = database.opened(run.database)
    outcome = commands.import_log(run, Plan(listeners=0), work, engine, lambda _seen: None)
    assert outcome.progress.announced > VIEWS
    assert outcome.progress.handled == 0
    engine.dispose()
