"""A sender, put together as the settings say."""

from __future__ import annotations

import time
from collections.abc import Callable

from ..core.backoff import RetryPolicy
from ..database.clock import Clock, DatabaseClock
from ..database.engine import Database
from .envelope import SmtpMailer
from .errors import MailSettingsWrong
from .replies import Rules
from .sender import Sender
from .sender_locks import turn_of
from .settings import MailSettings

FIRST_DELAY, LONGEST_DELAY = 60.0, 4 * 3_600.0  # s between attempts at a mail that is refused for the moment


def sender_for(
    settings: MailSettings,
    database: Database,
    *,
    idle_limit: float,
    timeout: float | None = None,
    clock: Clock | None = None,
    sleep: Callable[[float], None] = time.sleep,
    timer: Callable[[], float] = time.monotonic,
    wall: Callable[[], float] = time.time,
) -> Sender:
    """A sender; ``idle_limit`` is how many seconds the database lets a transaction stand idle, ``timeout`` how many
    each answer of the mail server may take while it is connected to: OYEZ_MAIL_TIMEOUT unless given. ``clock`` is the
    database's unless given; ``wall`` dates the mails.

    Raises `MailSettingsWrong`.
    """
    if settings.mail_timeout >= idle_limit:
        raise MailSettingsWrong(
            f"OYEZ_MAIL_TIMEOUT ({settings.mail_timeout:g} s) must be less than OYEZ_IDLE_IN_TRANSACTION "
            f"({idle_limit:g} s): a mail is sent within a transaction"
        )
    limits = RetryPolicy(max_attempts=settings.mail_attempts, first=FIRST_DELAY, longest=LONGEST_DELAY)
    rules = Rules(limits, resend=settings.mail_policy == "resend")
    mailer = SmtpMailer(settings, wall, timeout=timeout)
    return Sender(
        database, turn_of(database), mailer, rules, clock=clock or DatabaseClock(), sleep=sleep, timer=timer
    )
