"""How an event leaves an application: announcers, their transports and settings.

What is named here is imported when it is used: pydantic and the settings take longer to load than all else.
"""

from typing import TYPE_CHECKING

from .when_used import names_when_used

if TYPE_CHECKING:
    from .announcer import Announcer
    from .async_announcer import AsyncAnnouncer
    from .errors import (
        AnnouncerClosed,
        NotAnnounced,
        OtherLoop,
        SettingsError,
        TransportRefused,
        Undelivered,
    )
    from .memory import MemoryBroker, MemoryTransport
    from .session import visitor_session
    from .settings import Settings
    from .transport import JoinsTransaction, ReportsFailures, TakesMany, Transport

__all__ = [
    "Announcer",
    "AnnouncerClosed",
    "AsyncAnnouncer",
    "JoinsTransaction",
    "MemoryBroker",
    "MemoryTransport",
    "NotAnnounced",
    "OtherLoop",
    "ReportsFailures",
    "Settings",
    "SettingsError",
    "TakesMany",
    "Transport",
    "TransportRefused",
    "Undelivered",
    "visitor_session",
]

if not TYPE_CHECKING:  # a type checker would believe that every name is there
    __getattr__, __dir__ = names_when_used(
        __name__,
        {
            "Announcer": ".announcer",
            "AnnouncerClosed": ".errors",
            "AsyncAnnouncer": ".async_announcer",
            "JoinsTransaction": ".transport",
            "MemoryBroker": ".memory",
            "MemoryTransport": ".memory",
            "NotAnnounced": ".errors",
            "OtherLoop": ".errors",
            "ReportsFailures": ".transport",
            "Settings": ".settings",
            "SettingsError": ".errors",
            "TakesMany": ".transport",
            "Transport": ".transport",
            "TransportRefused": ".errors",
            "Undelivered": ".errors",
            "visitor_session": ".session",
        },
    )
