"""Announcing with the announcer of this process."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.apps import apps

from oyez.schemas import Signal

from ..errors import SettingsError
from .in_transactions import DjangoAnnouncer

if TYPE_CHECKING:
    from ..expiring import Expires
    from .in_transactions import AnyDatabase


def announcer() -> DjangoAnnouncer:
    """The announcer of this process, as ``settings.OYEZ`` says. It is made when it is first used, and closed at exit.

    SettingsError: a setting is wrong, or the app is not installed.
    """
    from .apps import OyezConfig  # noqa: PLC0415 # Django imports it when it is set up, and not before

    try:
        config = apps.get_app_config(OyezConfig.label)
    except LookupError:
        config = None
    if not isinstance(config, OyezConfig):
        raise SettingsError(f"{OyezConfig.name} is not among Django's INSTALLED_APPS; add it")
    return config.announcer()


def announce(
    signal: Signal | type[Signal] | str | int,
    data: Mapping[str, Any] | str | bytes | None = None,
    *,
    key: str | None = None,
    db: AnyDatabase | None = None,
    at: datetime | None = None,
    after: timedelta | None = None,
    expires: Expires | None = None,
) -> str:
    """Announce one event, as `DjangoAnnouncer.announce` does; the answer is its id."""
    return announcer().announce(signal, data, key=key, db=db, at=at, after=after, expires=expires)
