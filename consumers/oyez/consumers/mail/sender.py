"""Sending: one mail after the other, each marked before it is sent and settled after."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import uuid4

from sqlalchemy import Connection

from oyez.schemas import OyezError

from ..core.rate_limit import Pace
from ..database import mails
from ..database.clock import Clock
from ..database.engine import Database
from ..database.mails import Change, Letter
from .envelope import Mailer
from .errors import MailServerAway, SenderBusy
from .replies import Answer, Rules, change_of
from .sender_locks import Turn, begun
from .spans import sending

LOOK_EVERY = 5.0  # s; between two looks for mails of senders that died
LOSSES = 3  # connections lost or refused in a row, after which the server counts as away
TIMEOUT = 60.0  # s; that a run waits for its turn


def _never() -> bool:
    return False


@dataclass
class Tally:
    """What one run did: mails that were ``sent``, ``delayed`` for another attempt, ``failed``, and ``unsure``: those
    that may have been sent, those of senders that died among them."""

    sent: int = 0
    delayed: int = 0
    failed: int = 0
    unsure: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing was done."""
        return not (self.sent or self.delayed or self.failed or self.unsure)

    def add(self, change: Change, *, unsure: bool) -> None:
        """Count one mail."""
        if unsure:
            self.unsure += 1
        elif change.state == "waiting":
            self.delayed += 1
        elif change.state == "sent":
            self.sent += 1
        else:
            self.failed += 1


@dataclass(frozen=True)
class Order:
    """What one run is to do: ``limit`` mails at most, of priority ``least`` or higher, at a pace, until it is stopped.
    ``timeout`` is how many seconds it waits for its turn."""

    limit: int
    least: int = 0
    pace: Pace = field(default_factory=Pace)
    stopped: Callable[[], bool] = _never
    timeout: float = TIMEOUT


class Sender:
    """Sends what is in the queue. One thread uses it."""

    def __init__(
        self,
        database: Database,
        turn: Turn,
        mailer: Mailer,
        rules: Rules,
        *,
        clock: Clock,
        timer: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        token: Callable[[], str] = lambda: uuid4().hex,
    ) -> None:
        self._database = database
        self._turn = turn
        self._mailer = mailer
        self._rules = rules
        self._clock = clock
        self._timer = timer
        self._sleep = sleep
        self._token = token
        self._looked = float("-inf")
        self._losses = 0
        self._blame: OyezError | None = None
        self._last_words: str | None = None
        self._unset: OyezError | None = None
        self._marking: tuple[str, int] | None = None
        """The claim by which a mail may be marked, and the mail that was delivered last by it, which may have left."""

    def run(self, order: Order, tally: Tally) -> None:
        """One run; what it does is counted as it happens.

        Raises `SenderBusy`, `MailServerAway`, `MailSettingsWrong` and `DatabaseAway`; what was done stays.
        `SenderUnset` is raised in the end, when all others were sent.
        """
        if not begun(self._turn, order.stopped, order.timeout, self._sleep):
            if order.stopped():
                return
            raise SenderBusy("another sender is at work; on SQLite there is one at a time")
        try:
            self._looked = float("-inf")
            self._losses, self._unset = 0, None
            self._put_back()
            claim = self._token()
            self._marking = claim, 0
            self._send_all(order, tally, claim)
            self._marking = None
            if self._unset is not None:
                raise self._unset
        except MailServerAway:
            self._marking = None  # nothing is marked then
            raise
        finally:
            self._mailer.close()
            self._turn.end()

    def _put_back(self) -> None:
        """What the run before had marked when its database went away, and had not begun to deliver, waits again."""
        if self._marking is not None:
            claim, last = self._marking
            self._database.repeat(lambda db: mails.put_back(db, claim, last, self._clock(db)))
            self._marking = None

    def _send_all(self, order: Order, tally: Tally, claim: str) -> None:
        """The mark of the next mail is made in the transaction that settles the one before, where there is no wait, and
        no look: a database that goes away meanwhile would leave the mark."""
        done = 0
        marked: Letter | None = None
        while True:
            if marked is None:
                self._look(tally, claim)
                if done >= order.limit or order.pace.wait(order.stopped):
                    return
                marked = self._mark(order, claim)
                if marked is None:
                    return
            done += 1
            marked = self._send_one(order, tally, claim, marked, more=order.limit > done)
            if self._losses >= LOSSES:
                raise self._blame or MailServerAway(
                    f"the mail server refused or closed the connection {LOSSES} times in a row: {self._last_words}"
                )

    def _mark(self, order: Order, claim: str) -> Letter | None:
        """Mark the next mail; the server is there before that, so that nothing is marked in vain. A mark that was made
        by a commit whose answer was lost is there already."""
        with self._database.reading() as db:
            if not mails.is_due(db, self._clock(db), order.least) and mails.marked(db, claim) is None:
                return None
        self._mailer.open()
        return self._database.repeat(lambda db: mails.marked(db, claim) or self._take(db, order, claim))

    def _take(self, db: Connection, order: Order, claim: str) -> Letter | None:
        return mails.take(db, claim, self._clock(db), order.least)

    def _send_one(
        self, order: Order, tally: Tally, claim: str, marked: Letter, *, more: bool
    ) -> Letter | None:
        """Send the mail that is marked; the next one, if it is marked then."""
        order.pace.count()
        said: list[tuple[Change, Answer]] = []

        def deliver(letter: Letter) -> Change:
            self._marking = claim, letter.id
            with sending(letter.id, letter.traceparent) as said_of:
                answer = self._mailer.deliver(letter)
                change = change_of(letter, answer, self._rules)
                said_of(change)
            is_loss = answer.lost or answer.is_turned_away
            self._losses, self._blame = (self._losses + 1 if is_loss else 0), answer.blame
            self._last_words = change.error
            self._unset = answer.unset or self._unset
            said.append((change, answer))
            return change

        def settle(db: Connection, letter: Letter, change: Change, goes_on: bool) -> Letter | None:
            said_at, number = self._clock(db), letter.id
            if goes_on and more and self._may_mark(order):
                return mails.settle_and_take(db, number, claim, change, said_at, order.least)
            mails.settle(db, number, claim, change, said_at)
            return None

        following = self._turn.send(marked, claim, deliver, settle)
        for change, answer in said:
            if answer.end is not None:
                raise answer.end
            tally.add(change, unsure=answer.unsure is not None)
        return following

    def _may_mark(self, order: Order) -> bool:
        """Whether the next mail would be delivered at once."""
        return (
            self._mailer.is_open and order.pace.is_free() and not order.stopped() and not self._is_to_look()
        )

    def _is_to_look(self) -> bool:
        return self._timer() - self._looked >= LOOK_EVERY

    def _look(self, tally: Tally, claim: str) -> None:
        """Find mails of senders that died."""
        if self._is_to_look():
            self._looked = self._timer()
            tally.unsure += self._database.repeat(lambda db: self._give_up(db, claim))

    def _give_up(self, db: Connection, claim: str) -> int:
        now = self._clock(db)
        before = self._turn.abandoned_before(now)
        return mails.give_up_abandoned(db, claim, before, now, resend=self._rules.resend)
