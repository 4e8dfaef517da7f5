"""What an event is: signals, the catalogue of them, and how events are written and read."""

from .catalogue import Catalogue, catalogue
from .declaration import Declaration, Prerequisite, required_prerequisites
from .decoding import Envelope, check_text, envelope_decoder, event_of
from .documents import bundle, json_schema, json_schemas
from .encoding import CANONICAL, CONTENT_TYPE, Encoder, prefix
from .errors import InvalidEvent, OyezError, SchemaError, Undecodable, UnknownSignal, reasons
from .event import Event
from .foreign import RawEnvelope, decode, message_key, read_envelope, typed_envelope
from .options import requirements_of
from .requirements import find_cycle
from .signal import Signal
from .text import MAX_TEXT, flaw, text_of

__all__ = [
    "CANONICAL",
    "CONTENT_TYPE",
    "MAX_TEXT",
    "Catalogue",
    "Declaration",
    "Encoder",
    "Envelope",
    "Event",
    "InvalidEvent",
    "OyezError",
    "Prerequisite",
    "RawEnvelope",
    "SchemaError",
    "Signal",
    "Undecodable",
    "UnknownSignal",
    "bundle",
    "catalogue",
    "check_text",
    "decode",
    "envelope_decoder",
    "event_of",
    "find_cycle",
    "flaw",
    "json_schema",
    "json_schemas",
    "message_key",
    "prefix",
    "read_envelope",
    "reasons",
    "required_prerequisites",
    "requirements_of",
    "text_of",
    "typed_envelope",
]
