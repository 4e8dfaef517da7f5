"""Connecting to the mail server, and what is said when that fails."""

from __future__ import annotations

import smtplib
import socket
import ssl
from typing import Any

from oyez.schemas import OyezError

from ..core.user_errors import text_of
from .errors import MailServerAway, MailSettingsWrong
from .settings import PORTS, MailSettings

NEEDS_LOGIN = (530, 535, 538)
"""Replies by which a server says that nobody, or nobody whom it knows, has logged in."""


def connect(settings: MailSettings, limit: float) -> Any:
    """A connection, encrypted and logged in as it is set; each answer within ``limit`` seconds.

    Raises `MailServerAway` and `MailSettingsWrong`.
    """
    _check(settings)
    context = None if settings.mail_tls == "none" else _context(settings)
    try:
        smtp = _reached(settings, limit, context)
    except (smtplib.SMTPException, OSError, ValueError) as error:
        raise _why(settings, limit, error) from error
    try:
        smtp.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if settings.mail_tls == "starttls":
            smtp.starttls(context=context)
        _log_in(smtp, settings)
    except (smtplib.SMTPException, OSError, ValueError) as error:
        smtp.close()
        raise _why(settings, limit, error) from error
    return smtp


def farewell(smtp: Any) -> None:
    """Say goodbye, if somebody is there."""
    try:
        if smtp.sock is not None:
            smtp.sock.settimeout(1.0)
            smtp.quit()
    except (smtplib.SMTPException, OSError):
        pass
    finally:
        smtp.close()


def login_wanted(settings: MailSettings, code: int, words: str) -> MailSettingsWrong:
    """What a server's refusal says that takes no mail without another login."""
    return MailSettingsWrong(
        f"the mail server {settings.mail_server} wants a login (OYEZ_MAIL_USER, OYEZ_MAIL_PASSWORD): {code} {words}"
    )


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


def _check(settings: MailSettings) -> None:
    """What Python's client would stumble upon in its own way."""
    host = settings.mail_host or ""
    if not _is_host(host):
        raise MailSettingsWrong(f"OYEZ_MAIL_HOST: {host!r} cannot be the name of a host")
    if settings.mail_user is not None:
        login = {
            "OYEZ_MAIL_USER": settings.mail_user,
            "OYEZ_MAIL_PASSWORD": _password(settings),
        }
        for name, said in login.items():
            if not said.isascii():
                raise MailSettingsWrong(
                    f"{name} has characters that are not ASCII, with which there is no login"
                )


def _is_host(name: str) -> bool:
    try:
        return name.isprintable() and bool(name.encode("idna"))
    except UnicodeError:
        return False


def _reached(settings: MailSettings, limit: float, context: ssl.SSLContext | None) -> Any:
    place = (settings.mail_host or "", settings.mail_port or PORTS[settings.mail_tls])
    if settings.mail_tls == "tls":
        return smtplib.SMTP_SSL(*place, timeout=limit, context=context)
    return smtplib.SMTP(*place, timeout=limit)


def _context(settings: MailSettings) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=settings.mail_ca)
    except (OSError, ValueError) as error:
        raise MailSettingsWrong(
            f"OYEZ_MAIL_CA: {settings.mail_ca} cannot be read: {line_of(error)}"
        ) from None


def _log_in(smtp: Any, settings: MailSettings) -> None:
    smtp.ehlo_or_helo_if_needed()
    if settings.mail_user is not None:
        smtp.login(settings.mail_user, _password(settings))


def _password(settings: MailSettings) -> str:
    return "" if settings.mail_password is None else settings.mail_password.get_secret_value()


def _why(settings: MailSettings, limit: float, error: Exception) -> OyezError:
    server = f"the mail server {settings.mail_server}"
    if isinstance(error, smtplib.SMTPResponseException):
        return _said(settings, server, error)
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


def _said(settings: MailSettings, server: str, error: smtplib.SMTPResponseException) -> OyezError:
    words = f"{error.smtp_code} {words_of(error.smtp_error)}"
    if isinstance(error, smtplib.SMTPAuthenticationError) and error.smtp_code >= 500:
        return MailSettingsWrong(
            f"{server} refuses the login of {settings.mail_user} (OYEZ_MAIL_USER): {words}"
        )
    return MailServerAway(f"{server} does not serve: {words}")
