"""A handler that is a generator."""

from collections.abc import AsyncIterator

from oyez.consumers import Handlers
from oyez.schemas import Signal


class Awaited(Signal, name="cli.awaited"):
    pass


on = Handlers("generating")


@on(Awaited)  # type: ignore[arg-type] # that is the fault
async def wait(_event: Awaited) -> AsyncIterator[None]:
    yield
