"""Running a handler that has failed lately: in parts, each of which can be undone by itself.

A part that fails is undone. What failed in it is found and taken out, alone, and the rest is run together again: nearly
all of the batch is done as if nothing had failed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..core.deadline import Deadline
from ..core.outcomes import DONE, UNRUN
from ..core.tool_context import ToolContext
from ..database.connection import HandlerConnection
from ..database.session import HandlerSession
from ..handlers.callers import takes_session
from ..handlers.registry import Handler
from .attempt import attempt, raise_for_others
from .delivery import Delivery, Result, payloads
from .for_each import call_for_each
from .in_hand import in_hand
from .wary import Wary

QUICK = 0.002  # s; what has failed as soon as that may be begun anew as a whole
HOPELESS = 8  # failures, if they are half of what was got through, after which the rest is run one by one


@dataclass(frozen=True, slots=True)
class Part:
    """Deliveries to be run together, in order. ``failures``: if there are no more than these when its turn comes, it is
    known to fail; ``is_guess``: it is one that is believed to fail."""

    deliveries: Sequence[Delivery]
    failures: int = -1
    is_guess: bool = False


@dataclass(frozen=True, slots=True)
class Failure:
    """How a part failed: which of its deliveries was in hand, if that can be told, and whether it was soon."""

    at: int | None
    is_quick: bool


class Parts:
    """Runs deliveries of one handler, once."""

    def __init__(
        self,
        handler: Handler,
        db: HandlerConnection,
        tool_context: ToolContext,
        deadline: Deadline,
        wary: Wary,
    ) -> None:
        self._handler = handler
        self._db = db
        self._tool_context = tool_context
        self._deadline = deadline
        self._wary = wary
        self._results: list[Result] = []
        self._held: set[tuple[str, str]] = set()
        self._failures = 0
        self._trusts_guesses = True
        self._has_guessed = False

    def run(self, deliveries: Sequence[Delivery], suspect: int | None = None) -> list[Result]:
        """Run them. Those behind one of their key that is not done are left out: they have no result. ``suspect``: the
        place in the batch of the event that they have failed for before."""
        at = next((n for n, one in enumerate(deliveries) if one.at == suspect), None)
        parts = [Part(deliveries)] if at is None else _in_order(deliveries, at)
        self._db.mark()
        for part in parts:
            self._in_sizes(part)
        self._db.unmark()
        return self._results

    def _in_sizes(self, part: Part) -> None:
        """Run a part in smaller ones, if its handler takes single events; how small, it shows by the way."""
        at, whole = 0, part.deliveries
        while at < len(whole):
            size = len(whole) if self._handler.takes_list else self._wary.part(self._handler.name)
            self._through(replace(part, deliveries=whole[at : at + size]))
            at += size

    def _through(self, part: Part) -> None:
        waiting = [part]
        while waiting:
            part = waiting.pop()
            some = part.deliveries
            if self._held:
                some = [one for one in some if one.ordered_key not in self._held]
            if self._results and self._deadline.is_over():
                self._results.extend((one, UNRUN) for one in some)
            elif len(some) == 1:
                self._alone(some[0], is_guess=part.is_guess)
            elif some and (failure := self._fails(part, some)) is not None:
                waiting.extend(reversed(self._split(some, failure)))

    def _fails(self, part: Part, some: Sequence[Delivery]) -> Failure | None:
        """How these fail together; None when they do not, and are done."""
        if part.failures == self._failures and len(some) == len(part.deliveries):
            return Failure(None, is_quick=True)
        began = self._deadline.clock()
        session = HandlerSession(self._db, "create_savepoint", self._tool_context)
        given, ran, failure = payloads(some), 0, None
        try:
            ran = self._call(given, session)
            session.settle()
        except BaseException as error:  # noqa: BLE001 # see `attempt`
            raise_for_others(error, session)
            failure = Failure(in_hand(error, given), self._since(began) < QUICK)
        finally:
            session.discard()
        if failure is not None:
            self._db.back_to_mark()
            return failure
        self._passed(ran, began)
        self._results.extend((one, DONE) for one in some[:ran])
        self._results.extend((one, UNRUN) for one in some[ran:])
        return None

    def _call(self, given: Sequence[object], session: HandlerSession) -> int:
        """Call the handler for these, or for as many as there is time for; returns for how many."""
        if not self._handler.takes_list:
            if takes_session(self._handler.signature.injected):
                session.connection()  # its own savepoint is there before anything is kept
            return call_for_each(self._handler, given, session, self._deadline)
        self._handler.call(given, session)
        return len(given)

    def _split(self, some: Sequence[Delivery], failure: Failure) -> list[Part]:
        """The same in parts that fail less, in an order that keeps that of each key."""
        at = failure.at if self._trusts_guesses else None
        if self._failures >= HOPELESS and 2 * self._failures >= len(self._results) + (at or 0):
            return [Part([one]) for one in some]
        if at is None or (self._handler.takes_list and at == len(some) - 1):
            half = len(some) // 2
            return [Part(some[:half]), Part(some[half:], self._failures)]
        if at > 0 and failure.is_quick and self._has_guessed:
            return _others_first(some, at)
        return _in_order(some, at)

    def _alone(self, delivery: Delivery, *, is_guess: bool) -> None:
        began = self._deadline.clock()
        session = HandlerSession(self._db, "create_savepoint", self._tool_context)
        try:
            outcome = attempt(delivery, session)
        finally:
            session.discard()
        self._results.append((delivery, outcome))
        if outcome.completes:
            self._passed(1, began)
            if is_guess:
                self._trusts_guesses = False
            return
        self._db.back_to_mark()
        self._has_guessed = self._has_guessed or is_guess
        self._failures += 1
        self._wary.failed(self._handler.name)
        if outcome.holds_key and delivery.ordered_key is not None:
            self._held.add(delivery.ordered_key)

    def _passed(self, events: int, began: float) -> None:
        """What was done is not to be undone any more."""
        self._db.move_mark()
        self._wary.passed(self._handler.name, events, self._since(began))

    def _since(self, began: float) -> float:
        return self._deadline.clock() - began


def _in_order(some: Sequence[Delivery], at: int) -> list[Part]:
    """The one that is believed to fail alone, between those that came before it and have got through once, and the
    rest."""
    return [Part(some[:at]), Part([some[at]], is_guess=True), Part(some[at + 1 :])]


def _others_first(some: Sequence[Delivery], at: int) -> list[Part]:
    """The others together, as far as the order of its key allows. They come first: what failed was not in their way."""
    key = some[at].ordered_key
    later = [one for one in some[at + 1 :] if key is not None and one.ordered_key == key]
    behind = set(map(id, later))
    others = [one for one in some if one is not some[at] and id(one) not in behind]
    return [Part(others), Part([some[at]], is_guess=True), Part(later)]
