"""What an event is: signals, the catalogue of them, and how events are written and read."""

from .catalogue import Catalogue, catalogue
from .errors import InvalidEvent, OyezError, SchemaError, Undecodable, UnknownSignal
from .event import Event
from .foreign import decode
from .signal import Signal

__all__ = [
    "Catalogue",
    "Event",
    "InvalidEvent",
    "OyezError",
    "SchemaError",
    "Signal",
    "Undecodable",
    "UnknownSignal",
    "catalogue",
    "decode",
]
