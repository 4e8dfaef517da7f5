"""Statements of handlers that are not sent one by one: they are kept, and many are sent at once.

A handler that is called for each event, and writes one statement, would wait for as many answers. The batch is one
transaction: whether a statement fails when it is written or a little later, all is rolled back and run more carefully.
Whatever may see what was written, or is seen by the handler, is sent in its turn.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, Protocol
from weakref import ref

from sqlalchemy import CursorResult
from sqlalchemy.exc import ResourceClosedError

from .deferrable import Deferrable, deferrable, deferrable_again, is_the_same_each_time

MANY = 64
"""Statements of a call that are remembered, to find those that come again."""
ENOUGH = 8
"""Statements that show how they come: many of one kind, or in turns."""
LARGEST = 500
"""Statements that are kept at most."""


class Executing(Protocol):
    """Executes a statement now, with one set of parameters or with many."""

    def __call__(self, statement: Any, parameters: Any, /) -> CursorResult[Any]: ...


class _State:
    __slots__ = ("result", "send")

    def __init__(self, send: Callable[[], None]) -> None:
        self.send = send
        self.result: CursorResult[Any] | None = None

    def sent(self) -> CursorResult[Any]:
        if self.result is None:
            self.send()
        if self.result is None:
            raise ResourceClosedError("the statement was not sent: its transaction is over, or has failed")
        return self.result


class DeferredResult(CursorResult[Any]):
    """The result of a statement that is not sent yet. Whoever looks at it has it sent, and waits."""

    def __init__(self, send: Callable[[], None]) -> None:
        object.__setattr__(self, "deferred", _State(send))

    def __getattribute__(self, name: str) -> Any:
        if name == "__class__":
            return DeferredResult
        state: _State = object.__getattribute__(self, "deferred")
        return state if name == "deferred" else getattr(state.sent(), name)


class _Kept(NamedTuple):
    what: Deferrable
    result: ref[DeferredResult]
    """Gone if nobody has it."""


class Deferring:
    """Keeps statements, in order, until they have to be sent."""

    def __init__(self, execute: Executing) -> None:
        self._execute = execute
        self._kept: list[_Kept] = []
        self._seen: dict[int, tuple[Any, Any]] = {}
        """By its id, a statement, and as what it is sent when it comes again, None if at once."""
        self._count = Counter[str]()
        self._failed: BaseException | None = None
        self.is_sending = False
        """What is executed now is part of sending something else, such as a listener's own statement."""

    def keep(self, statement: Any, given: Mapping[str, Any]) -> DeferredResult | None:
        """Keep a statement; returns its result. None if it has to be sent now."""
        seen = self._seen.get(id(statement))
        if seen is None:
            what = self._first(statement, given)
        else:
            what = deferrable_again(seen[1], given) if seen[1] is not None else None
        if what is None:
            return None
        if len(self._kept) >= LARGEST:
            self.send()
        result = DeferredResult(self.send)
        self._kept.append(_Kept(what, ref(result)))
        return result

    def pays(self) -> bool:
        """Whether statements come in runs; in turns, keeping them costs more than it saves."""
        return self._count["sent"] < ENOUGH or 2 * self._count["runs"] <= self._count["sent"]

    def send(self) -> None:
        """Send what was kept. What has failed once is raised each time: whoever caught it was not the one whose
        statement it was, and what was kept behind it is gone."""
        if self._failed is not None:
            raise self._failed
        if self._kept and not self.is_sending:
            self.is_sending = True
            try:
                self._send_all()
            except BaseException as error:
                self._failed = error
                raise
            finally:
                self.is_sending = False

    def forget(self) -> None:
        """The call has ended: what was not sent never will be."""
        self._kept, self._failed = [], None

    def _send_all(self) -> None:
        kept, self._kept = self._kept, []
        runs = list(_runs(kept))
        self._count.update(sent=len(kept), runs=len(runs))
        for run in runs:
            self._send(run)

    def _send(self, run: list[_Kept]) -> None:
        statement, parameters = run[0].what
        if len(run) > 1:
            self._execute(statement, [one.what.parameters for one in run])
        elif (held := run[0].result()) is None:
            self._execute(statement, parameters)
        else:
            held.deferred.result = self._execute(statement, parameters)

    def _first(self, statement: Any, given: Mapping[str, Any]) -> Deferrable | None:
        what = deferrable(statement, given)
        if len(self._seen) < MANY and (what is None or what.parameters.keys() == given.keys()):
            is_same = what is not None or is_the_same_each_time(statement)
            sent = (what.statement if what else statement) if is_same else None
            self._seen[id(statement)] = (statement, sent)  # it is held: so its id is not given to another one
        return what


def _runs(kept: Iterable[_Kept]) -> Iterator[list[_Kept]]:
    """Those that may be sent at once: one after the other, of one statement, with results that nobody has."""
    run: list[_Kept] = []
    for one in kept:
        if run and (one.result() or run[-1].result() or not run[0].what.is_like(one.what)):
            yield run
            run = []
        run.append(one)
    if run:
        yield run
