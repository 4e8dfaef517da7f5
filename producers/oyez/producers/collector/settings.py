"""The settings of the collector: those of announcing, and more."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from oyez.schemas.text import MAX_TEXT

from ..settings import Settings

Name = Annotated[str, Field(min_length=1, max_length=MAX_TEXT)]


class Site(BaseModel):
    """What the pages with a site key may do."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    origins: list[Name]
    """Where its pages come from, such as `https://shop.example`."""
    signals: list[Name]
    """The names of the signals that they may announce."""


class Sender(BaseModel):
    """What another system with a key may do."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sources: list[Name]
    """The sources that its events may name."""
    signals: list[Name]
    """The names of the signals that it may announce."""


class CollectSettings(Settings):
    """What the collector may be told, beside what `Settings` has. As long as nothing is named, nothing may come in."""

    collect_host: str = "127.0.0.1"
    """The address at which it answers."""
    collect_port: int = Field(default=8080, ge=0, le=65_535)
    """The port; 0 for one that is free."""
    collect_sites: dict[Name, Site] = Field(
        default={}, examples=[{"SITE": {"origins": ["https://shop.example"], "signals": ["page.viewed"]}}]
    )
    """By site key, which is no secret: the pages that may announce, and what."""
    collect_keys: dict[Name, Sender] = Field(
        default={}, repr=False, examples=[{"SECRET": {"sources": ["/erp"], "signals": ["order.paid"]}}]
    )
    """By key, which is a secret: the systems that may send CloudEvents, and what."""
    collect_webhooks: list[Name] = Field(default=[], examples=[["events.example.com"]])
    """The origins that may deliver webhooks, as they say it in the handshake."""
    collect_source: Name | None = None
    """The source of what pages announce; None: `source`."""
    collect_max_body: int = Field(default=262_144, ge=1)
    """Bytes of a request's body, at most."""
    collect_max_events: int = Field(default=500, ge=1)
    """Events of a request, at most."""
    collect_max_connections: int = Field(default=1000, ge=1)
    """Connections at once, at most."""
    collect_max_pending: int = Field(default=10_000, ge=1)
    """Events that wait to be stored, at most. No less than ``collect_max_events``: a full request waits as one."""
    collect_timeout: float = Field(default=10.0, gt=0)
    """Seconds that a request may take to arrive: its head, and again its body."""
    collect_address_rate: float = Field(default=20.0, gt=0)
    """Events a second of one address; in a burst, those of ten seconds."""
    collect_site_rate: float = Field(default=1000.0, gt=0)
    """The same of one site, or of one key."""
    collect_consent: Literal["asked", "assumed"] = "asked"
    """Whether a session is stored only if the page says that the visitor has consented."""
    collect_opt_out: Literal["honour", "ignore"] = "honour"
    """Whether Do Not Track and Global Privacy Control count as no consent."""
    collect_anonymous: Literal["none", "daily"] = "none"
    """The key of a visitor who has not consented: none, or an id of one day that nobody can turn back."""
    collect_address: Literal["drop", "truncate", "keep"] = "drop"
    """What becomes of a visitor's address."""
    collect_cookie: str = Field(default="oyez_session", pattern=r"^[A-Za-z0-9_-]{1,64}$")
    """The name of the session's cookie."""
    collect_proxies: list[Name] = Field(default=[], examples=[["10.0.0.0/8"]])
    """The addresses of proxies whose `X-Forwarded-For` is believed."""

    @field_validator("transport")
    @classmethod
    def _stores(cls, value: str) -> str:
        if value == "memory":
            raise ValueError("memory stores nothing: the collector needs spool, kafka or inline")
        return value

    @field_validator("spool_fsync")
    @classmethod
    def _forces(cls, value: str) -> str:
        if value == "never":
            raise ValueError(
                "the collector says of an event that it is stored: that needs interval or always"
            )
        return value

    @field_validator("collect_max_pending")
    @classmethod
    def _has_room_for_a_request(cls, value: int, info: ValidationInfo) -> int:
        most = info.data.get("collect_max_events", 0)
        if value < most:
            raise ValueError(
                f"must be {most} at least, as collect_max_events is: a full request waits as one"
            )
        return value

    @field_validator("collect_proxies")
    @classmethod
    def _addresses(cls, value: list[str]) -> list[str]:
        for one in value:
            ip_network(one, strict=False)  # a name would be believed of nobody
        return value

    @property
    def page_source(self) -> str:
        """The source of what pages announce."""
        return self.collect_source or self.source
