"""The first words to a mail server."""

from __future__ import annotations

import smtplib
from typing import Any


def greet(smtp: Any) -> None:
    """EHLO, and HELO where that is not known. Raises `smtplib.SMTPHeloError` with the server's words.

    Python's own way asks a second time after a 421 too, and then says that nobody is there.
    """
    code, words = smtp.ehlo()
    if 400 <= code < 500:
        raise smtplib.SMTPHeloError(code, words)
    if not 200 <= code < 300:
        code, words = smtp.helo()
        if not 200 <= code < 300:
            raise smtplib.SMTPHeloError(code, words)
