"""Listening: handlers, groups of them, and the workers that run them exactly once."""

from .announcing import HandlerAnnouncer
from .application import Application, StartError
from .bounded import Listened, listen
from .eventfiles import load_event_files
from .handlers import Handlers
from .loading import load_application
from .mailing import Attachment, Mail, MailRefused
from .outcomes import HandlerMisuse, NotReady, Reject
from .settings import ListenSettings
from .signature import RegistrationError

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
    "listen",
    "load_application",
    "load_event_files",
]
