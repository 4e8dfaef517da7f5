"""The test kit: an application's handlers in a test, run as a worker runs them, in a time that the test decides.

What is named here is imported when it is used: pytest loads the plugin beside it in every project in which Oyez is
installed.
"""

from typing import TYPE_CHECKING

from oyez.producers.when_used import names_when_used

if TYPE_CHECKING:
    from .clock import Clock
    from .databases import NotForTests
    from .deliveries import DeadDelivery, ParkedDelivery
    from .failing import HandlerUnknown
    from .kits import Kit
    from .live import live_kit
    from .mails import QueuedMail
    from .opening import kit
    from .ran import Ran
    from .real_services import Services, services
    from .scheduled import ScheduledEvent

__all__ = [
    "Clock",
    "DeadDelivery",
    "HandlerUnknown",
    "Kit",
    "NotForTests",
    "ParkedDelivery",
    "QueuedMail",
    "Ran",
    "ScheduledEvent",
    "Services",
    "kit",
    "live_kit",
    "services",
]

if not TYPE_CHECKING:  # a type checker would believe that every name is there
    __getattr__, __dir__ = names_when_used(
        __name__,
        {
            "Clock": ".clock",
            "DeadDelivery": ".deliveries",
            "HandlerUnknown": ".failing",
            "Kit": ".kits",
            "NotForTests": ".databases",
            "ParkedDelivery": ".deliveries",
            "QueuedMail": ".mails",
            "Ran": ".ran",
            "ScheduledEvent": ".scheduled",
            "Services": ".real_services",
            "kit": ".opening",
            "live_kit": ".live",
            "services": ".real_services",
        },
    )
