"""Connecting to the mail server."""

from __future__ import annotations

import smtplib
import socket
import ssl
from typing import Any

from .client import EncryptedLastWords, LastWords, last_refusal
from .domains import in_ascii
from .errors import MailSettingsWrong
from .greeting import greet
from .server_words import line_of, why
from .settings import PORTS, MailSettings


def connect(settings: MailSettings, limit: float) -> Any:
    """A connection, encrypted and logged in as it is set; each answer within ``limit`` seconds.

    Raises `MailServerAway` and `MailSettingsWrong`.
    """
    host = _checked(settings)
    context = None if settings.mail_tls == "none" else _context(settings)
    try:
        smtp = _reached(settings, host, limit, context)
    except (smtplib.SMTPException, OSError, ValueError) as error:
        raise why(settings, limit, error) from error
    try:
        if smtp.sock is not None:
            smtp.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _introduce(smtp, settings, context)
    except (smtplib.SMTPException, OSError, ValueError) as error:
        smtp.close()
        raise why(settings, limit, last_refusal(smtp) or error, smtp.local_hostname) from error
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


def _checked(settings: MailSettings) -> str:
    """The host in ASCII; what Python's client would stumble upon in its own way is looked for."""
    host = settings.mail_host or ""
    try:
        written = in_ascii(host)
        is_host = written.isprintable() and bool(written.encode("idna"))  # of ASCII it tells the lengths
    except ValueError:
        is_host = False
    if not is_host:
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
    return written


def _reached(settings: MailSettings, host: str, limit: float, context: ssl.SSLContext | None) -> LastWords:
    place = (host, settings.mail_port or PORTS[settings.mail_tls])
    name = settings.mail_ehlo
    if settings.mail_tls == "tls":
        return EncryptedLastWords(*place, local_hostname=name, timeout=limit, context=context)
    return LastWords(*place, local_hostname=name, timeout=limit)


def _context(settings: MailSettings) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=settings.mail_ca)
    except (OSError, ValueError) as error:
        raise MailSettingsWrong(
            f"OYEZ_MAIL_CA: {settings.mail_ca} cannot be read: {line_of(error)}"
        ) from None


def _introduce(smtp: LastWords, settings: MailSettings, context: ssl.SSLContext | None) -> None:
    greet(smtp)
    if settings.mail_tls == "starttls":
        smtp.starttls(context=context)
        greet(smtp)
    if settings.mail_user is not None:
        smtp.login(settings.mail_user, _password(settings))


def _password(settings: MailSettings) -> str:
    return "" if settings.mail_password is None else settings.mail_password.get_secret_value()
