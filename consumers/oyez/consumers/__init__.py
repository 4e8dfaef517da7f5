"""Listening: handlers, groups of them, and the workers that run them exactly once."""

from .core.outcomes import HandlerMisuse, NotReady, Reject
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

__all__ = [
    "Application",
    "Attachment",
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
    "StartError",
    "Tool",
    "listen",
    "load_application",
    "load_event_files",
]
