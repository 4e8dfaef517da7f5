"""A handler that would wait for ever."""

from oyez.consumers import Handlers
from oyez.schemas import Signal


class Opened(Signal, name="cli.opened", subject="door"):
    door: str


class Entered(Signal, name="cli.entered", requires={Opened: "door"}):
    door: str


on = Handlers("unmet")


@on(Entered)
def enter(_event: Entered) -> None:
    pass
