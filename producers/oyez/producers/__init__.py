"""How an event leaves an application: announcers, their transports and settings."""

from .announcer import Announcer
from .errors import AnnouncerClosed, NotAnnounced, SettingsError, TransportRefused, Undelivered
from .memory import MemoryBroker, MemoryTransport
from .session import visitor_session
from .settings import Settings
from .transport import JoinsTransaction, ReportsFailures, Transport

__all__ = [
    "Announcer",
    "AnnouncerClosed",
    "JoinsTransaction",
    "MemoryBroker",
    "MemoryTransport",
    "NotAnnounced",
    "ReportsFailures",
    "Settings",
    "SettingsError",
    "Transport",
    "TransportRefused",
    "Undelivered",
    "visitor_session",
]
