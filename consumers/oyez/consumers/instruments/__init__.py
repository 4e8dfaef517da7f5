"""What workers tell of themselves: the logic emits happenings, subscribers log and count them."""

from .happenings import Happening
from .instrument import Instrument, Subscriber
from .lines import LogSubscriber

__all__ = ["Happening", "Instrument", "LogSubscriber", "Subscriber"]
