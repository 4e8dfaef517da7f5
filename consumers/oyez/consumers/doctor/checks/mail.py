"""Does the mail server take mails, if there is one, and is there one, if there are mails?"""

from __future__ import annotations

import time
from collections.abc import Sequence

from ...database.mails import is_any_waiting
from ...mail.connecting import connect, farewell
from ..check import Check, Finding, not_checked, ok
from ..setup import Setup

ANSWER = 5.0  # s


def of_server(setup: Setup) -> Sequence[Finding]:
    """Connects, encrypts and logs in as the sender does, and says goodbye."""
    settings = setup.settings
    if settings.mail_host is None:
        return not_checked("no mail server is set (OYEZ_MAIL_HOST)")
    begun = time.monotonic()
    farewell(connect(settings, min(ANSWER, settings.mail_timeout)))
    login = "" if settings.mail_user is None else f", logged in as {settings.mail_user}"
    return ok(f"{settings.mail_server} ({settings.mail_tls}){login}, within {time.monotonic() - begun:.1f} s")


def of_queue(setup: Setup) -> Sequence[Finding]:
    """Without a server mails are queued and not sent."""
    with setup.connected() as db:
        waits = is_any_waiting(db)
    if waits and setup.settings.mail_host is None:
        return [
            Finding(
                "warning", "mails wait, and no mail server is set", "set OYEZ_MAIL_HOST for oyez mail send"
            )
        ]
    return ok("mails wait, for oyez mail send" if waits else "no mail waits")


SERVER = Check(
    "mail server",
    ("settings",),
    of_server,
    limit=20.0,
    advice="look at OYEZ_MAIL_HOST, OYEZ_MAIL_PORT and OYEZ_MAIL_TLS, and at the server",
)
QUEUE = Check("mail queue", ("migrations",), of_queue)
