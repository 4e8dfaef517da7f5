"""What operators do to mails: hold, release, cancel, retry, purge. What is being sent is left alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, null

from ..database import mail_filter
from ..database.clock import Clock
from ..database.mail_filter import MailFilter
from ..database.mails import State
from . import Step, Tally

Values = Callable[[float], Mapping[str, object]]


@dataclass(frozen=True)
class MailMove:
    """From these states, with these values at the time; None deletes. What is in a state of ``if_named`` is only moved
    when that is asked for."""

    name: str
    states: tuple[State, ...]
    values: Values | None
    if_named: tuple[State, ...] = ()


HOLD = MailMove("hold", ("waiting",), lambda now: {"state": "held", "changed_at": now})
RELEASE = MailMove(
    "release",
    ("held",),
    lambda now: {"state": "waiting", "claim": null(), "changed_at": now},
    if_named=("unsure",),
)
CANCEL = MailMove(
    "cancel",
    ("waiting", "held", "unsure", "failed"),
    lambda now: {"state": "canceled", "claim": null(), "changed_at": now},
)
RETRY = MailMove(
    "retry",
    ("failed", "waiting"),
    lambda now: {"state": "waiting", "attempts": 0, "refused": null(), "due_at": now, "changed_at": now},
)
PURGE = MailMove("purge", ("sent", "canceled"), None, if_named=("failed",))


def within(move: MailMove, wanted: MailFilter) -> MailFilter:
    """The filter, of the states that the move is for. Raises `ValueError` if another one is asked for."""
    possible = (*move.states, *move.if_named)
    for one in wanted.states:
        if one not in possible:
            raise ValueError(
                f"a mail that is {one} is not for {move.name}: that is for {', '.join(possible)}"
            )
    return replace(wanted, states=wanted.states or move.states, tried=move is RETRY)


class MailOperation:
    """Does a move to mails, in steps: see `oyez.consumers.admin.Steps`."""

    def __init__(self, move: MailMove, clock: Clock) -> None:
        self._move = move
        self._clock = clock

    def begin(self) -> None:
        """Nothing is remembered from one step to the next."""

    def step(self, db: Connection, ids: Sequence[int], wanted: MailFilter) -> Step:
        """Lock, and change or delete; what a sender or another operator has locked is left."""
        locked = mail_filter.lock(db, ids, wanted)
        if locked and self._move.values is None:
            mail_filter.remove(db, locked)
        elif locked and self._move.values is not None:
            mail_filter.change(db, locked, self._move.values(self._clock(db)))
        missing = sorted(set(ids) - set(locked))
        left = mail_filter.still(db, missing, wanted) if missing else []
        return Step(Tally(done=len(locked)), left)
