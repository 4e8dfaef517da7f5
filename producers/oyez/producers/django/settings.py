"""Oyez's settings, from Django's: the dict ``settings.OYEZ``.

Its names are those of the environment without ``OYEZ_``; what it does not say is said as anywhere, by the environment
and oyez.toml. Beside these it has ``KEY``, see `keys`. Oyez's database is one of ``settings.DATABASES``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from ..errors import SettingsError
from ..settings import Settings
from ..settings_given import settings_given
from .databases import address_of

WHERE = "settings.OYEZ"
"""Where it is said, for messages."""
KEY, DATABASE = "KEY", "DATABASE"
USUAL = "default"
"""The alias of Oyez's database, unless another one is set."""


def said_in_django() -> Mapping[str, Any]:
    """What ``settings.OYEZ`` says. SettingsError: it is no dict, or has names that are no texts."""
    said = getattr(settings, "OYEZ", {})
    if isinstance(said, Mapping) and all(isinstance(name, str) for name in said):
        return said
    raise SettingsError(f"{WHERE} must be a dict, such as {{'APP': 'shop.handlers:on'}}, not {said!r:.100}")


def settings_said() -> dict[str, Any]:
    """The same by the names of settings, with the database's address. SettingsError: as above, or Oyez cannot use the
    database."""
    said = {name.lower(): value for name, value in said_in_django().items() if name != KEY}
    return said | {"database": database_address()}


def announcing_settings() -> Settings:
    """The settings of announcing. SettingsError: one of them is wrong."""
    return settings_given(WHERE, settings_said(), Settings)


def database_alias() -> str | None:
    """The alias in ``settings.DATABASES`` of the database that has Oyez's tables; None: it is set by its address."""
    said = said_in_django().get(DATABASE, USUAL)
    if not isinstance(said, str):
        raise SettingsError(f"{WHERE}['DATABASE'] must be an alias of settings.DATABASES, not {said!r:.100}")
    return None if "://" in said else said


def database_address() -> str:
    """The address of that database, as SQLAlchemy writes it. SettingsError: Oyez cannot use it."""
    alias = database_alias()
    return str(said_in_django()[DATABASE]) if alias is None else address_of(alias)
