"""The app, which has what a process has one of."""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property
from typing import Any, cast

from django.apps import AppConfig
from django.core.checks import register
from django.core.signals import request_started, setting_changed

from oyez.schemas import OyezError

from ..announcer import Announcer
from ..closing import closed
from ..made_when_used import MadeWhenUsed
from .checks import check_settings
from .in_transactions import DjangoAnnouncer
from .settings import announcing_settings

INLINE = "inline"


class OyezConfig(AppConfig):
    """``oyez.producers.django`` in ``INSTALLED_APPS``."""

    name = "oyez.producers.django"
    label = "oyez"
    verbose_name = "Oyez"

    @cached_property
    def announcer(self) -> MadeWhenUsed[DjangoAnnouncer]:
        """Gives the announcer of this process."""
        return MadeWhenUsed(lambda: DjangoAnnouncer.from_settings(announcing_settings()))

    def ready(self) -> None:
        """Check the settings when Django checks, and heed what tests change of them."""
        self.announcer  # noqa: B018 # before there are threads
        register(check_settings, "oyez")
        setting_changed.connect(self._forget)
        request_started.connect(self._make_in_time)

    def _forget(self, *, setting: str, **_: Any) -> None:
        """Who asks next gets one as the settings are then."""
        if setting == "OYEZ":
            closed(cast("MadeWhenUsed[Announcer]", self.announcer))
            request_started.connect(self._make_in_time)

    def _make_in_time(self, **_: Any) -> None:
        """The inline transport begins with a transaction of its own. Within one of Django's, SQLite would let it wait
        for that in vain; before the first request there is none. What is wrong, `announce` says."""
        request_started.disconnect(self._make_in_time)
        with suppress(OyezError):
            if announcing_settings().transport == INLINE:
                self.announcer()
