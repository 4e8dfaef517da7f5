"""What workers tell of themselves: the logic emits events, subscribers log and count them."""

from .emitter import Instrument, Subscriber
from .events import InstrumentationEvent
from .log_subscriber import LogSubscriber

__all__ = ["Instrument", "InstrumentationEvent", "LogSubscriber", "Subscriber"]
