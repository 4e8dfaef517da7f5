"""What workers tell of themselves: the logic emits happenings, subscribers log and count them."""

from .emitter import Instrument, Subscriber
from .events import Happening
from .log_subscriber import LogSubscriber

__all__ = ["Happening", "Instrument", "LogSubscriber", "Subscriber"]
