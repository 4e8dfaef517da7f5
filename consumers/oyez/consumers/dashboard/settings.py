"""The settings of `oyez dashboard`: those of listening, and more."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Annotated

from pydantic import Field, field_validator

from oyez.producers.errors import SettingsError

from ..settings import ListenSettings

Name = Annotated[str, Field(min_length=1, max_length=255)]
OWN_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


class DashboardSettings(ListenSettings):
    """What `oyez dashboard` may be told, beside what `ListenSettings` has."""

    dashboard_host: str = "127.0.0.1"
    """The address at which it answers. Any that others can connect to needs ``dashboard_password``."""
    dashboard_port: int = Field(default=8090, ge=0, le=65_535)
    """The port; 0 for one that is free."""
    dashboard_path: str = Field(default="", pattern=r"^(/[A-Za-z0-9._~-]+)*$")
    """The path under which a proxy has it, which it takes away: such as `/oyez`."""
    dashboard_password: str | None = Field(default=None, min_length=12, repr=False)
    """What whoever reads has to know, of 12 characters at least; None: nothing, on this machine alone."""
    dashboard_hosts: list[Name] = Field(default=[], examples=[["oyez.example.com"]])
    """The names by which it may be asked for, beside the address and `localhost`."""
    dashboard_proxies: list[Name] = Field(default=[], examples=[["10.0.0.0/8"]])
    """The addresses of proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed."""

    @field_validator("dashboard_proxies")
    @classmethod
    def _addresses(cls, value: list[str]) -> list[str]:
        for one in value:
            ip_network(one, strict=False)  # a name would be believed of nobody
        return value

    @property
    def dashboard_names(self) -> frozenset[str]:
        """All names by which it may be asked for."""
        return OWN_NAMES | {self.dashboard_host.lower(), *(name.lower() for name in self.dashboard_hosts)}


def require_access_control(settings: DashboardSettings) -> None:
    """Raises `SettingsError` where others can connect, and nothing is asked of them."""
    why = _why_others_can_connect(settings)
    if why is not None and settings.dashboard_password is None:
        raise SettingsError(f"dashboard: {why[0]}: set OYEZ_DASHBOARD_PASSWORD, or {why[1]}")


def _why_others_can_connect(settings: DashboardSettings) -> tuple[str, str] | None:
    """Why, and what keeps them away; None: they cannot, as far as is said. A proxy on this machine brings others to
    127.0.0.1: whoever has one says its address, or by which name it is asked for."""
    if not _is_this_machine(settings.dashboard_host):
        return f"others can connect to {settings.dashboard_host}", "leave it on 127.0.0.1"
    if settings.dashboard_proxies:
        return "others can connect to a proxy before it", "leave OYEZ_DASHBOARD_PROXIES away"
    for name in settings.dashboard_hosts:
        if not _is_this_machine(name.lower()):
            return f"others can ask for {name}", "leave it out of OYEZ_DASHBOARD_HOSTS"
    return None


def _is_this_machine(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
