"""Listening: handlers, groups of them, and the workers that run them exactly once."""

from .application import Application, StartError
from .handlers import Handlers
from .outcomes import HandlerMisuse, NotReady, Reject
from .settings import ListenSettings
from .signature import RegistrationError

__all__ = [
    "Application",
    "HandlerMisuse",
    "Handlers",
    "ListenSettings",
    "NotReady",
    "RegistrationError",
    "Reject",
    "StartError",
]
