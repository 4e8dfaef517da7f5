"""Connections of Django's in a process that listens: looked after around each call of handlers, as Django itself does
around each request. Otherwise one that was lost, or is too old, would stay for as long as the process lives."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Any

from ..handlers.application import Application, Group
from ..handlers.registry import Handler

LookAfter = Callable[[], object]


def looked_after(application: Application) -> Application:
    """The same application; its calls are looked after if Django is set up in this process."""
    django = sys.modules.get("django.apps")
    if django is None or not django.apps.ready:
        return application
    from django.db import close_old_connections  # noqa: PLC0415 # see above

    return application.changed(partial(_in_group, look_after=close_old_connections))


def _in_group(group: Group, look_after: LookAfter) -> Group:
    return replace(group, handlers=tuple(_in_handler(one, look_after) for one in group.handlers))


def _in_handler(handler: Handler, look_after: LookAfter) -> Handler:
    """An ``async def`` has no connection of its thread's: Django's ORM runs in others there, which asgiref has."""
    if handler.signature.is_async:
        return handler

    def call(events: Iterable[Any], db: Any) -> None:
        look_after()
        try:
            handler.call(events, db)
        finally:
            look_after()

    return replace(handler, call=call)
