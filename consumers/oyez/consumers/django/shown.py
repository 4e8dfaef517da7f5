"""Which of Django's databases the admin pages show: the one that has Oyez's tables, or none."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from django.db import connections
from sqlalchemy import make_url

from oyez.producers import SettingsError
from oyez.producers.django.databases import address_of
from oyez.producers.django.settings import WHERE, database_address, database_alias

NOT_SHOWN = (
    f"{WHERE}['DATABASE'] is the address of a database that is not in settings.DATABASES, and pages of Django's can "
    f"show none of it; add it there and give its alias, or use the commands: oyez retry, oyez dead"
)


class _Place(NamedTuple):
    kind: str
    host: str | None
    port: int
    name: str | None


def alias_shown() -> str | None:
    """Its alias, also where it is set by its address; None: Django has no such database. SettingsError: it is set
    wrongly."""
    alias = database_alias()
    if alias is not None:
        return alias
    there = _place(database_address())
    return next((one for one in connections if _place_of(one) == there), None)


def _place_of(alias: str) -> _Place | None:
    try:
        return _place(address_of(alias))
    except SettingsError:
        return None


def _place(address: str) -> _Place:
    url = make_url(address)
    host, kind = url.host or url.query.get("host"), url.get_backend_name()
    name = url.database
    if kind == "sqlite" and name and not name.startswith((":", "file:")):
        name = str(Path(name).resolve())
    return _Place(kind, str(host) if host else None, int(url.port or 0), name)
