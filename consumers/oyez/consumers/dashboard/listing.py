"""What the dashboard has, in the order of its navigation: a line for each page."""

from __future__ import annotations

from collections.abc import Sequence

from .common.page import Place
from .pages import (
    acting,
    doctor,
    errors,
    event,
    handlers,
    hours,
    lists,
    live,
    mail_moves,
    mails,
    operations,
    outbox,
    overview,
    pauses,
    settings,
    signals,
    spool,
    timeline,
)

PLACES: Sequence[Place] = (
    overview.PAGE,
    hours.PAGE,
    lists.PARKED,
    errors.PARKED,
    lists.DEAD,
    errors.DEAD,
    event.PAGE,
    pauses.LIST,
    pauses.CONFIRM,
    pauses.PAUSE,
    pauses.RESUME,
    *acting.PLACES,
    operations.LIST,
    operations.ONE,
    operations.STOP,
    timeline.PAGE,
    mails.PAGE,
    mails.MAIL,
    *mail_moves.FORMS,
    outbox.PAGE,
    outbox.RETRY,
    spool.PAGE,
    signals.PAGE,
    signals.SIGNAL,
    handlers.PAGE,
    settings.PAGE,
    doctor.PAGE,
    live.PAGE,
)
