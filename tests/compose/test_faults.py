"""What cannot come up: `up --wait` ends by itself, with an error, and somebody says in one line what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from compose.ending import end_on_sigterm
from compose.project import Project
from support.services import unique


@pytest.fixture
def project() -> Iterator[Project]:
    """A deployment of its own, not yet up."""
    end_on_sigterm()
    made = Project(unique("oyez"))
    yield made
    made.remove()


def refused(project: Project) -> str:
    """What the migration says in its last line, after an `up --wait` that has ended in vain."""
    done = project.run("up", "--build", "--detach", "--wait")
    assert done.returncode != 0
    assert "migrate" in done.stderr
    lines = project.run("logs", "--no-color", "--no-log-prefix", "migrate").stdout.strip().splitlines()
    assert lines, done.stderr
    assert not [line for line in lines if "Traceback" in line]
    assert project.containers("listen") == [] or "listening to" not in project.run("logs", "listen").stdout
    return lines[-1]


def test_a_wrong_password(project: Project) -> None:
    project.up("postgres")
    project.password = "another"
    assert "password authentication failed" in refused(project)


def test_a_missing_password(project: Project) -> None:
    done = project.run("up", "--detach", "--wait", without=["POSTGRES_PASSWORD"])
    assert done.returncode != 0
    assert "set POSTGRES_PASSWORD" in done.stderr


def test_a_database_that_is_not_there(project: Project, tmp_path: Path) -> None:
    change = tmp_path / "elsewhere.yml"
    url = "postgresql+psycopg://oyez:any@nowhere:5432/oyez"
    change.write_text(f"services: {{migrate: {{environment: {{OYEZ_DATABASE: '{url}'}}}}}}\n")
    elsewhere = project.changed_by(change)
    assert "nowhere" in refused(elsewhere)


def test_a_migration_that_fails(project: Project) -> None:
    project.up("postgres")
    later = "CREATE TABLE oyez_alembic_version AS SELECT CAST('ffff' AS varchar(32)) AS version_num"
    project.compose("exec", "postgres", "psql", "--username", "oyez", "--command", later)
    assert "ffff" in refused(project)
