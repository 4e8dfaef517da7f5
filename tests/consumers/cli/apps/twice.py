"""Two handlers of one name."""

from oyez.consumers import Handlers
from oyez.schemas import Signal


class Doubled(Signal, name="cli.doubled"):
    pass


on = Handlers("twice")


@on(Doubled)
def remember(_event: Doubled) -> None:
    pass


@on(Doubled, name="remember")
def remember_again(_event: Doubled) -> None:
    pass
