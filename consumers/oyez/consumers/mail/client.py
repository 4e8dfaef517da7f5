"""Python's SMTP clients, which also keep what the server said last.

They tell of a connection that was closed, and not of the words with which it was: a 421 is lost in what they ask next.
"""

from __future__ import annotations

import smtplib
from typing import Any


class LastWords(smtplib.SMTP):
    """Without encryption, or with STARTTLS. ``heard`` is the last reply."""

    heard: tuple[int, bytes] | None = None

    def getreply(self) -> tuple[int, bytes]:
        self.heard = super().getreply()
        return self.heard


class EncryptedLastWords(LastWords, smtplib.SMTP_SSL):
    """Encrypted from the beginning."""


def last_refusal(smtp: Any) -> smtplib.SMTPResponseException | None:
    """The 421 that was the server's last word, if it was."""
    heard = getattr(smtp, "heard", None)
    return smtplib.SMTPResponseException(*heard) if heard is not None and heard[0] == 421 else None
