"""What a request has brought, on its way into the store."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from oyez.schemas import Event, OyezError

from ..announcer import Stamped
from .answers import Result
from .events import Maker, reason_of
from .stores import Store

Found = Event[Any] | Result
"""An event, or why there is none."""
Identity = tuple[str, str]

REMEMBERED = 10_000
"""Events whose ids are known at once, at most."""


def _nobody(_results: Sequence[Result]) -> None:
    """Nobody wants to know."""


class Intake:
    """Stores events, and says what became of each. Those that were stored lately are not stored again."""

    def __init__(
        self, maker: Maker, store: Store, note: Callable[[Sequence[Result]], None] = _nobody
    ) -> None:
        """`note` hears what became of each request's events."""
        self._maker = maker
        self._store = store
        self._note = note
        self._stored: OrderedDict[Identity, None] = OrderedDict()

    async def take(self, found: Sequence[Found]) -> list[Result]:
        """What became of each, in this order. Refused: nothing is taken now."""
        judged = list(self._judged(found))
        made = [one for one in judged if not isinstance(one, Result)]
        reasons = iter(await self._store.keep(made) if made else ())
        results = [one if isinstance(one, Result) else _result(one[0], next(reasons)) for one in judged]
        for event, result in zip(found, results, strict=True):
            if isinstance(event, Event) and result.result == "ok":
                self._remember((event.source, event.id))
        self._note(results)
        return results

    def _judged(self, found: Sequence[Found]) -> Iterator[Stamped | Result]:
        here: set[Identity] = set()
        for one in found:
            if isinstance(one, Result):
                yield one
                continue
            identity = (one.source, one.id)
            if identity in here or identity in self._stored:
                yield Result(one.id, "duplicate")
                continue
            here.add(identity)
            yield self._made(one)

    def _made(self, event: Event[Any]) -> Stamped | Result:
        try:
            return self._maker.made(event)
        except OyezError as error:
            return Result(event.id, "invalid", reason_of(error))

    def _remember(self, identity: Identity) -> None:
        self._stored[identity] = None
        if len(self._stored) > REMEMBERED:
            self._stored.popitem(last=False)


def _result(event_id: str, reason: str | None) -> Result:
    return Result(event_id, "ok") if reason is None else Result(event_id, "retry", reason)
