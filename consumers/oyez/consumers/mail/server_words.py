"""What a mail server's replies, and errors of the connection to it, mean when it is not a mail that they are about."""

from __future__ import annotations

import smtplib
import ssl

from oyez.schemas import OyezError

from ..core.user_errors import text_of
from .errors import MailServerAway, MailSettingsWrong
from .settings import MailSettings

NEEDS_LOGIN = (530, 535, 538)
"""Replies by which a server says that nobody, or nobody whom it knows, has logged in."""
WRONG_NAME = (501, 504, 550, 553)
"""Replies to EHLO and HELO by which it says that nobody can be called so."""


def login_wanted(settings: MailSettings, code: int, words: str) -> MailSettingsWrong:
    """What a server's refusal says that takes no mail without another login."""
    return MailSettingsWrong(
        f"the mail server {settings.mail_server} wants a login (OYEZ_MAIL_USER, OYEZ_MAIL_PASSWORD): {code} {words}"
    )


def client_refused(settings: MailSettings, name: str, code: int, words: str) -> OyezError:
    """What a server's refusal says that is about this host, or its name in EHLO, and not about a mail."""
    said = f"the mail server {settings.mail_server} does not take mail from this host, as {name} (OYEZ_MAIL_EHLO)"
    return (MailSettingsWrong if code >= 500 else MailServerAway)(f"{said}: {code} {words}")


def is_silence(error: BaseException) -> bool:
    """Whether nothing came in time. smtplib says so of some errors in their context alone."""
    return isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError)


def words_of(said: bytes | str) -> str:
    """A reply in one line."""
    text = said if isinstance(said, str) else said.decode("utf-8", "backslashreplace")
    return " ".join(text.split())[:1000]


def line_of(error: BaseException) -> str:
    """An error in one line."""
    return text_of(error) or type(error).__name__


def why(settings: MailSettings, limit: float, error: Exception, name: str | None = None) -> OyezError:
    """What went wrong when the server was connected to; ``name`` is by what this host has called itself."""
    server = f"the mail server {settings.mail_server}"
    if isinstance(error, smtplib.SMTPResponseException):
        return _said(settings, server, error, name)
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return MailSettingsWrong(f"{server}: {line_of(error)} (OYEZ_MAIL_TLS is {settings.mail_tls})")
    if isinstance(error, ssl.SSLCertVerificationError):
        return MailSettingsWrong(
            f"{server} has a certificate that is not trusted: {error.verify_message}; set OYEZ_MAIL_CA"
        )
    if isinstance(error, ValueError) and not isinstance(error, OSError):
        names = "OYEZ_MAIL_HOST, OYEZ_MAIL_USER or OYEZ_MAIL_PASSWORD"
        # The error's own words may have the password in them.
        return MailSettingsWrong(f"{server} cannot be asked: {names} is wrong ({type(error).__name__})")
    return MailServerAway(
        f"{server} does not answer within {limit:g} s"
        if is_silence(error)
        else f"{server} cannot be reached: {line_of(error)}"
    )


def _said(
    settings: MailSettings, server: str, error: smtplib.SMTPResponseException, name: str | None
) -> OyezError:
    words = f"{error.smtp_code} {words_of(error.smtp_error)}"
    if isinstance(error, smtplib.SMTPAuthenticationError) and error.smtp_code >= 500:
        return MailSettingsWrong(
            f"{server} refuses the login of {settings.mail_user} (OYEZ_MAIL_USER): {words}"
        )
    if isinstance(error, smtplib.SMTPHeloError) and error.smtp_code in WRONG_NAME:
        return MailSettingsWrong(
            f"{server} does not take {name} for the name of this host (OYEZ_MAIL_EHLO): {words}"
        )
    return MailServerAway(f"{server} does not serve: {words}")
