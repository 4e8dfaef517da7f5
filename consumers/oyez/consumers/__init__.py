"""Listening: handlers, groups of them, and the workers that run them exactly once.

What is named here is imported when it is used: whoever only registers handlers loads no client of Kafka, no SQLAlchemy
and no command line, and `oyez healthy` loads nothing at all.
"""

from typing import TYPE_CHECKING

from oyez.producers.when_used import names_when_used

if TYPE_CHECKING:
    from .core.backoff import Backoff
    from .core.outcomes import HandlerMisuse, NotReady, Reject, RetryAfter
    from .handler_files import load_event_files
    from .handlers.announcer import HandlerAnnouncer
    from .handlers.application import Application, StartError
    from .handlers.registry import Handlers
    from .handlers.signature import RegistrationError
    from .handlers.tools import Tool
    from .mail import Attachment, Mail, MailRefused
    from .run.listen import listen
    from .run.listened import Listened
    from .run.loading import load_application
    from .settings import ListenSettings
    from .tracing.event_ids import EventIds, add_event_ids

__all__ = [
    "Application",
    "Attachment",
    "Backoff",
    "EventIds",
    "HandlerAnnouncer",
    "HandlerMisuse",
    "Handlers",
    "ListenSettings",
    "Listened",
    "Mail",
    "MailRefused",
    "NotReady",
    "RegistrationError",
    "Reject",
    "RetryAfter",
    "StartError",
    "Tool",
    "add_event_ids",
    "listen",
    "load_application",
    "load_event_files",
]

if not TYPE_CHECKING:  # a type checker would believe that every name is there
    __getattr__, __dir__ = names_when_used(
        __name__,
        {
            "Application": ".handlers.application",
            "Attachment": ".mail",
            "Backoff": ".core.backoff",
            "EventIds": ".tracing.event_ids",
            "HandlerAnnouncer": ".handlers.announcer",
            "HandlerMisuse": ".core.outcomes",
            "Handlers": ".handlers.registry",
            "ListenSettings": ".settings",
            "Listened": ".run.listened",
            "Mail": ".mail",
            "MailRefused": ".mail",
            "NotReady": ".core.outcomes",
            "RegistrationError": ".handlers.signature",
            "Reject": ".core.outcomes",
            "RetryAfter": ".core.outcomes",
            "StartError": ".handlers.application",
            "Tool": ".handlers.tools",
            "add_event_ids": ".tracing.event_ids",
            "listen": ".run.listen",
            "load_application": ".run.loading",
            "load_event_files": ".handler_files",
        },
    )
