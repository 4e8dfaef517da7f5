"""A project of Django's in a process of its own: there can be one in a process, and its settings stay."""

from __future__ import annotations

import multiprocessing
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

import django
import pytest
from django.conf import settings
from django.db import connections, transaction
from sqlalchemy import make_url

_FORK = multiprocessing.get_context("fork")
LIMIT = 100.0  # s
LEDGER = "support.django_ledger"
APPS = ("oyez.producers.django", "oyez.consumers.django", LEDGER)


def database_of(url: str) -> dict[str, Any]:
    """What `settings.DATABASES` says of a database."""
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(address.database)}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": address.database,
        "USER": address.username or "",
        "PASSWORD": address.password or "",
        "HOST": address.host or address.query.get("host", ""),
        "PORT": address.port or address.query.get("port", ""),
    }


def configure(databases: Mapping[str, str], **said: Any) -> None:
    """Set up a project with these databases, by their addresses, and tables for the models of `LEDGER`."""
    settings.configure(
        **{
            "DATABASES": {alias: database_of(url) for alias, url in databases.items()},
            "INSTALLED_APPS": APPS,
            "SECRET_KEY": "for tests",
            "TIME_ZONE": "UTC",
            "OYEZ": {"TRANSPORT": "memory"},
            "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
            "ALLOWED_HOSTS": ["*"],
            **said,
        }
    )
    django.setup()


def make_ledger(alias: str = "default") -> None:
    """Its tables, in place of those that another test has left."""
    from django.apps import apps

    models = [*apps.get_app_config("django_ledger").get_models()]
    drop_ledger(alias)
    with connections[alias].schema_editor() as schema:
        for model in models:
            schema.create_model(model)


def drop_ledger(alias: str = "default") -> None:
    """Others use the database too."""
    connections[alias].close()
    with connections[alias].cursor() as cursor:
        for name in ("entry", "account"):
            cursor.execute(f"DROP TABLE IF EXISTS django_ledger_{name}")


@contextmanager
def undone(
    kind: type[Exception], match: str | None = None, using: str = "default"
) -> Iterator[pytest.ExceptionInfo[Any]]:
    """A block in a transaction, or a savepoint, that ends in an error."""
    with pytest.raises(kind, match=match) as raised, transaction.atomic(using=using):
        yield raised


def in_fork(work: Callable[[], object]) -> None:
    """Do it in a fork of this process; what it raises fails the test."""
    ours, theirs = multiprocessing.Pipe()
    process = _FORK.Process(target=_told, args=(work, theirs))
    process.start()
    theirs.close()
    try:
        assert ours.poll(LIMIT), f"it did not end within {LIMIT:g} s"
        failure = ours.recv()
    except EOFError:
        failure = "the process died"
    finally:
        process.join(10)
        process.kill()
    if failure is not None:
        pytest.fail(failure, pytrace=False)


def _told(work: Callable[[], object], answers: Connection) -> None:
    try:
        work()
    except BaseException:  # noqa: BLE001 # of whatever kind
        answers.send(traceback.format_exc())
    else:
        answers.send(None)


def in_project(
    url: str, work: Callable[[], object], databases: Mapping[str, str] | None = None, **said: Any
) -> None:
    """Do it in a project whose default database is this one, in a process of its own."""

    def run() -> None:
        configure({"default": url, **(databases or {})}, **said)
        make_ledger()
        try:
            work()
        finally:
            drop_ledger()
            connections.close_all()

    in_fork(run)
