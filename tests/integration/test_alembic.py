"""An application's own Alembic, the real one, on the database that has Oyez's tables: `docs/databases.md`."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from oyez.consumers.database import make_engine, migrating

HOOK = re.search(
    r"<!-- run: env\.py -->\n```python\n(.*?)```",
    (Path(__file__).parents[2] / "docs/databases.md").read_text(),
    re.DOTALL,
)
MODELS = """
from sqlalchemy import Column, Index, Integer, MetaData, Table, Text
metadata = MetaData()
customer = Table("customer", metadata, Column("id", Integer, primary_key=True), Column("name", Text))
Index("customer_name", customer.c.name)
"""


@dataclass(frozen=True)
class Application:
    """An application with a folder of migrations, as `alembic init` makes it."""

    folder: Path
    url: str

    def alembic(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": str(self.folder)}
        return subprocess.run(
            [sys.executable, "-m", "alembic", *arguments],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def revision(self) -> str:
        """The revision that autogenerate proposes."""
        done = self.alembic("revision", "--autogenerate", "-m", "own")
        assert done.returncode == 0, done.stderr
        (script,) = (self.folder / "migrations" / "versions").glob("*_own.py")
        return script.read_text()

    def edit(self, name: str, *changes: tuple[str, str]) -> None:
        file = self.folder / name
        text = file.read_text()
        for before, after in changes:
            assert before in text
            text = text.replace(before, after)
        file.write_text(text)


@pytest.fixture(params=["sqlite", "postgres", "schema"])
def application(request: pytest.FixtureRequest, tmp_path: Path) -> Application:
    """On each database, and beside Oyez's tables in a schema of their own, into which Alembic is told to look."""
    is_apart = request.param == "schema"
    url: str = request.getfixturevalue("postgres" if is_apart else request.param)
    engine = make_engine(url, schema="events" if is_apart else None)
    migrating.upgrade(engine)
    engine.dispose()
    made = Application(tmp_path, url)
    assert made.alembic("init", "migrations").returncode == 0
    (tmp_path / "models.py").write_text(MODELS)
    made.edit("alembic.ini", ("driver://user:pass@localhost/dbname", url.replace("%", "%%")))
    made.edit(
        "migrations/env.py", ("target_metadata = None", "from models import metadata as target_metadata")
    )
    if is_apart:
        made.edit(
            "migrations/env.py", ("connection=connection,", "connection=connection, include_schemas=True,")
        )
    return made


def hooked(application: Application) -> Application:
    """As the docs say."""
    assert HOOK is not None
    imported, argument = HOOK[1].strip().split("\n\n")
    application.edit(
        "migrations/env.py",
        ("from alembic import context\n", f"from alembic import context\n{imported}\n"),
        ("target_metadata=target_metadata", argument.removeprefix("context.configure(…, ").removesuffix(")")),
    )
    return application


def test_without_the_hook_it_would_drop_them(application: Application) -> None:
    """So there is something to show."""
    assert "op.drop_table('oyez_position'" in application.revision()


def test_with_the_hook_it_sees_the_applications_tables_alone(application: Application) -> None:
    found = hooked(application).revision()
    assert "oyez" not in found.partition("def upgrade")[2]
    assert "op.create_table('customer'" in found
    assert application.alembic("upgrade", "head").returncode == 0
    checked = application.alembic("check")
    assert (checked.returncode, "No new upgrade operations" in checked.stdout) == (0, True), checked.stderr
    application.edit("models.py", ('Index("customer_name", customer.c.name)', ""))
    changed = application.alembic("check")
    assert changed.returncode != 0
    assert "customer_name" in changed.stderr + changed.stdout
    assert "oyez" not in changed.stderr + changed.stdout
    is_apart = "include_schemas" in (application.folder / "migrations/env.py").read_text()
    engine = make_engine(application.url, schema="events" if is_apart else None)
    migrating.require(engine)
    engine.dispose()
