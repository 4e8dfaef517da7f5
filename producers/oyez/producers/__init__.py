"""How an event leaves an application: announcers, their transports and settings."""

from .announcer import Announcer
from .errors import AnnouncerClosed, NotAnnounced, SettingsError, TransportRefused, Undelivered
from .kafka.transport import KafkaTransport
from .lookup import transport_from
from .memory import MemoryBroker, MemoryRecord, MemoryTransport, shared_broker
from .partitioning import partition_of
from .session import visitor_session
from .settings import Settings
from .transport import JoinsTransaction, ReportsFailures, Transport

__all__ = [
    "Announcer",
    "AnnouncerClosed",
    "JoinsTransaction",
    "KafkaTransport",
    "MemoryBroker",
    "MemoryRecord",
    "MemoryTransport",
    "NotAnnounced",
    "ReportsFailures",
    "Settings",
    "SettingsError",
    "Transport",
    "TransportRefused",
    "Undelivered",
    "partition_of",
    "shared_broker",
    "transport_from",
    "visitor_session",
]
