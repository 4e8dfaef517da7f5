"""Listening: handlers, groups of them, and the workers that run them exactly once."""

from .core.backoff import Backoff
from .core.outcomes import HandlerMisuse, NotReady, Reject, RetryAfter
from .handler_files import load_event_files
from .handlers.announcer import HandlerAnnouncer
from .handlers.application import Application, StartError
from .handlers.registry import Handlers
from .handlers.signature import RegistrationError
from .mail import Attachment, Mail, MailRefused
from .run.listen import listen
from .run.listened import Listened
from .run.loading import load_application
from .settings import ListenSettings

__all__ = [
    "Application",
    "Attachment",
    "Backoff",
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
    "listen",
    "load_application",
    "load_event_files",
]
