"""A coroutine handler."""

from oyez.consumers import Handlers
from oyez.schemas import Signal


class Awaited(Signal, name="cli.awaited"):
    pass


on = Handlers("coroutine")


@on(Awaited)
async def wait(_event: Awaited) -> None:
    pass
