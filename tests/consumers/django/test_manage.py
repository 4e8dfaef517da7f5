"""`manage.py`: its migrations bring Oyez's tables, and its command runs what `oyez` runs."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command, execute_from_command_line
from django.db import connection, transaction
from django.test.utils import get_runner
from sqlalchemy import create_engine, inspect

from consumers.django.paid import DjangoPaid
from oyez.consumers.database import migrating
from oyez.consumers.database.migrating import HEAD
from oyez.consumers.django.management.commands.oyez import without_djangos
from oyez.producers.django import announce
from support.django_project import in_project

APP = "consumers.django.paid:on"
MIGRATIONS = Path(migrating.__file__).parents[1] / "django" / "migrations"


def manage(*arguments: str) -> tuple[int, str, str]:
    """Its exit code, and what it prints to stdout and stderr."""
    out, err = io.StringIO(), io.StringIO()
    code = 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            execute_from_command_line(["manage.py", *arguments])
        except SystemExit as ended:
            code = int(ended.code or 0)
    return code, out.getvalue(), err.getvalue()


def tables(url: str) -> set[str]:
    engine = create_engine(url)
    found = set(inspect(engine).get_table_names())
    engine.dispose()
    return found


def test_migrate_brings_both_and_makemigrations_proposes_nothing(database: str) -> None:
    def work() -> None:
        assert manage("migrate", "-v", "0")[0] == 0
        assert {"oyez_parked", "oyez_alembic_version", "django_migrations"} <= tables(database)
        call_command("migrate", "oyez_consumers", "zero", verbosity=0)
        call_command("migrate", verbosity=0)
        assert "oyez_parked" in tables(database)
        assert manage("makemigrations", "oyez", "oyez_consumers", "--check", "--dry-run")[0] == 0
        call_command("oyez", "db", "check")
        assert migrating.current(create_engine(database)) == HEAD

    in_project(database, work)


def test_djangos_own_tests_have_the_tables_in_memory(sqlite: str) -> None:
    """Their database has a name that the connections of a process share."""

    def work() -> None:
        from django.conf import settings

        runner = get_runner(settings)(verbosity=0)
        before = runner.setup_databases()
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM oyez_parked")
            assert cursor.fetchone() == (0,)
        runner.teardown_databases(before)

    in_project(sqlite, work)


def test_migrate_brings_what_is_missing_though_django_has_noted_it(sqlite: str) -> None:
    """The database was another application's when Django noted the migration."""

    def work() -> None:
        call_command("migrate", verbosity=0)
        with connection.cursor() as cursor:
            for table in sorted(name for name in tables(sqlite) if name.startswith("oyez_")):
                cursor.execute(f"DROP TABLE {table}")
        call_command("migrate", verbosity=0)
        assert "oyez_parked" in tables(sqlite)

    in_project(sqlite, work)


def test_what_is_advised_is_a_command_with_the_projects_settings(sqlite: str) -> None:
    def work() -> None:
        code, _, err = manage("oyez", "status")
        assert code != 0
        assert "run: manage.py oyez db upgrade" in err

    in_project(sqlite, work, OYEZ={"TRANSPORT": "memory", "APP": APP})


def test_the_newest_migration_is_of_the_newest_revision() -> None:
    """Whoever adds a revision adds one of these."""
    newest = max(file.stem for file in MIGRATIONS.glob("0*.py"))
    assert import_module(f"oyez.consumers.django.migrations.{newest}").REVISION == HEAD


def test_a_command_has_the_projects_settings(pipeline_database: str) -> None:
    def work() -> None:
        code, out, _ = manage("oyez", "handlers")
        assert (code, "django.paid" in out) == (0, True)
        code, out, _ = manage("oyez", "announce", "django.paid", "--data", '{"n": 1}')
        assert code == 0
        code, out, _ = manage("oyez", "--help")
        assert (code, "manage.py oyez" in out) == (0, True)

    in_project(pipeline_database, work, OYEZ={"TRANSPORT": "memory", "APP": APP})


@pytest.mark.parametrize(
    ("oyez", "words"),
    [
        ({"TRANSPORT": "memory"}, "no application"),
        ({"BATCHH": 1}, "settings.OYEZ: there is no setting batchh"),
        ({"BATCH": "many"}, "batch"),
        ({"DATABASE": "none"}, "settings.OYEZ['DATABASE'] is 'none'"),
    ],
)
def test_what_is_wrong_is_one_line(sqlite: str, oyez: dict[str, object], words: str) -> None:
    def work() -> None:
        code, out, err = manage("oyez", "handlers")
        (line,) = err.splitlines()
        assert (code, out, line.startswith("oyez: "), words in line) == (2, "", True, True), err
        with pytest.raises(CommandError, match="ended with 2"):
            call_command("oyez", "handlers")

    in_project(sqlite, work, OYEZ=oyez)


@pytest.mark.parametrize(
    ("said", "left"),
    [
        (["--settings", "x.y", "status", "--json"], ["status", "--json"]),
        (["--pythonpath=a", "--settings=x", "db", "check"], ["db", "check"]),
        (["announce", "--settings", "x"], ["announce", "--settings", "x"]),
        ([], []),
    ],
)
def test_djangos_own_arguments_are_not_oyezs(said: Sequence[str], left: Sequence[str]) -> None:
    assert without_djangos(said) == left


def test_tables_in_a_schema_of_their_own(postgres: str) -> None:
    """The outbox, the migration and the admin's models find them there."""

    def work() -> None:
        from oyez.consumers.django.models import Dead, Parked

        assert manage("migrate", "-v", "0")[0] == 0
        assert manage("makemigrations", "--check", "--dry-run")[0] == 0
        assert (Parked.objects.count(), Dead.objects.count()) == (0, 0)
        with transaction.atomic():
            announce(DjangoPaid(n=1), db="default")
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM events.oyez_outbox")
            assert cursor.fetchone() == (1,)
            cursor.execute("SELECT to_regclass('public.oyez_outbox')")
            assert cursor.fetchone() == (None,)

    apps = ["oyez.producers.django", "oyez.consumers.django", "support.django_ledger"]
    in_project(postgres, work, OYEZ={"TRANSPORT": "memory", "SCHEMA": "events"}, INSTALLED_APPS=apps)
