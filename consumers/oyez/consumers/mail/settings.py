"""The settings of the mail queue; OYEZ_MAIL_… in the environment, mail_… in oyez.toml."""

from __future__ import annotations

import ipaddress
from typing import Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from oyez.producers import Settings
from oyez.producers.settings import PathOrNone, values_for

from .domains import DOMAIN, in_ascii
from .errors import MailRefused

PORTS = {"none": 25, "starttls": 587, "tls": 465}


class MailSettings(Settings):
    """What is set for sending mail. Without ``mail_host`` mails are queued and not sent."""

    mail_host: str | None = Field(default=None, min_length=1)
    """The mail server."""
    mail_tls: Literal["none", "starttls", "tls"] = "starttls"
    """How the connection is encrypted: not at all, after STARTTLS, or from the beginning."""
    mail_port: int | None = Field(default=None, ge=1, le=65_535)
    """The server's port; 587 for starttls, 465 for tls, 25 for none, unless set."""
    mail_ca: PathOrNone = None
    """A file with the certificates that are trusted, instead of the system's."""
    mail_user: str | None = None
    """The name to log in with; without one there is no login."""
    mail_password: SecretStr | None = None
    """The password to log in with."""
    mail_ehlo: str | None = None
    """The name by which this host calls itself in EHLO; its own full name unless set."""
    mail_sender: str | None = None
    """Who mails are from, where the handler does not say: `a@b.example` or `Name <a@b.example>`."""
    mail_override_to: str | None = None
    """All mails go to this address instead of their recipients: for staging."""
    mail_limit: int = Field(default=500, ge=1)
    """Mails that one run sends, at most."""
    mail_per_connection: int | None = Field(default=None, ge=1)
    """Mails after which the connection is made anew, where the server takes no more by one; no limit unless set."""
    mail_every: float = Field(default=300.0, gt=0)
    """Seconds between two runs, by which the expected wait is told."""
    mail_attempts: int = Field(default=12, ge=1)
    """Attempts after which a mail that is refused for the moment has failed."""
    mail_policy: Literal["hold", "resend"] = "hold"
    """What becomes of a mail that may have been sent: it is held until somebody decides, or sent again."""
    mail_timeout: float = Field(default=30.0, gt=0)
    """Seconds that a connection may take, and that one mail may take."""
    mail_size: int = Field(default=10 * 1024 * 1024, ge=1_000)
    """Bytes that a mail may have, attachments and all."""

    @property
    def mail_server(self) -> str:
        """The server as it is named in messages."""
        return f"{self.mail_host}:{self.mail_port or PORTS[self.mail_tls]}"

    @field_validator("mail_sender", "mail_override_to")
    @classmethod
    def _is_address(cls, value: str | None) -> str | None:
        try:
            if value is None:
                return None
            from .addresses import parse  # noqa: PLC0415 # the mail package is for those who set an address

            return str(parse(value))
        except MailRefused as error:
            raise ValueError(str(error)) from None

    @field_validator("mail_ehlo")
    @classmethod
    def _is_name(cls, value: str | None) -> str | None:
        name = None if value is None else in_ascii(value)
        if name is not None and not DOMAIN.fullmatch(name):
            raise ValueError(
                f"{value!r} is no host's name, such as mail.example, and no address, such as [192.0.2.1]"
            )
        return name

    @field_validator("mail_user")
    @classmethod
    def _encrypted(cls, value: str | None, info: ValidationInfo) -> str | None:
        host = info.data.get("mail_host")
        if value is not None and host and info.data.get("mail_tls") == "none" and not _is_here(host):
            raise ValueError("would be sent with its password in clear text; set mail_tls to starttls or tls")
        return value


def mail_settings(settings: Settings) -> MailSettings:
    """The settings of mail that go with these: they are among them, or else they are read from the environment and
    oyez.toml. Raises `SettingsError`."""
    return (
        settings if isinstance(settings, MailSettings) else MailSettings(**values_for(MailSettings, settings))
    )


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
