"""The mail queue's rows: queued, taken by a sender, held while they are sent, and what became of them.

A row that is marked as being sent and not held any more is one of a sender that died: it may have been sent.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from pydantic_core import from_json
from sqlalchemy import (
    BigInteger,
    Connection,
    Insert,
    Integer,
    bindparam,
    case,
    literal_column,
    select,
    update,
)

from .claims import unclaimed
from .dialects.dialect import Dialect
from .dialects.lookup import dialect_of
from .dialects.rows import Rows
from .tables import mail

State = Literal["waiting", "sending", "sent", "failed", "held", "canceled", "unsure"]
STATES: tuple[State, ...] = ("waiting", "sending", "sent", "failed", "held", "canceled", "unsure")


URGENT = 9
"""The highest priority. In the table it is the lowest rank, so that an index has the mails in their turn."""


class Letter:
    """One row, as its sender needs it: ``to_try`` are the recipients that nothing final is known of."""

    def __init__(self, row: Any) -> None:
        self.id: int
        self.sender: str | None
        self.attempts: int
        self.unsure: int
        self.content: bytes
        self.traceparent: str | None
        self.id, since, marked_at, self.sender, remaining, refused, *others = row
        self.attempts, self.unsure, self.content, self.traceparent = others
        self.due_for: float = marked_at - since  # s, until it was marked
        self.remaining: list[str] = from_json(remaining)
        self.refused: dict[str, str] = from_json(refused) if refused else {}

    @property
    def to_try(self) -> list[str]:
        return [one for one in self.remaining if one not in self.refused]


@dataclass(frozen=True)
class Change:
    """What becomes of a row. ``due_in`` is in how many seconds it may be sent next."""

    state: State
    due_in: float
    remaining: Sequence[str]
    refused: Mapping[str, str]
    attempts: int
    unsure: int
    error: str | None


@cache
def queueing(dialect: Dialect) -> Insert:
    """Queues mails, but for those of which the same one of the same event is there."""
    # Queued for an event that is handled a second time, it is there already.
    statement: Insert = dialect.insert(mail).on_conflict_do_nothing()
    return statement


_CHANGED = [name for name in Change.__dataclass_fields__ if name != "due_in"]

# As the indexes say it: they are not found by a parameter.
_is_waiting = mail.c.state == literal_column("'waiting'")
_is_sending = mail.c.state == literal_column("'sending'")
_is_due = (
    _is_waiting,
    mail.c.since <= bindparam("now"),  # those of the future come last, and are not looked at
    mail.c.due_at <= bindparam("now"),
    mail.c.rank <= URGENT - bindparam("least", type_=Integer),
)
_in_turn = (mail.c.rank, mail.c.since, mail.c.id)
_letter = [
    mail.c[name]
    for name in (
        "id",
        "since",
        "changed_at",
        "sender",
        "remaining",
        "refused",
        "attempts",
        "unsure",
        "content",
        "traceparent",
    )
]
_next = select(mail.c.id).where(*_is_due).order_by(*_in_turn).limit(1)
_any = select(mail.c.id).where(*_is_due).limit(1)
_take = (
    update(mail)
    .where(mail.c.id == unclaimed(_next, mail).scalar_subquery())
    .values(state="sending", claim=bindparam("by"), changed_at=bindparam("now"))
    .returning(*_letter)
)
_is_mine = (mail.c.claim == bindparam("by"), _is_sending)
_marked = select(*_letter).where(*_is_mine)
_held = select(mail.c.id).where(mail.c.id == bindparam("number"), *_is_mine).with_for_update()


def is_any_waiting(db: Connection) -> bool:
    """Whether a mail waits, now or for its time."""
    return db.execute(select(mail.c.id).where(_is_waiting).limit(1)).first() is not None


def is_due(db: Connection, now: float, least: int) -> bool:
    """Whether there is something to send, of this priority or a higher one."""
    return db.execute(_any, {"now": now, "least": least}).first() is not None


def take(db: Connection, claim: str, now: float, least: int) -> Letter | None:
    """Mark the next mail as being sent by whoever has this claim. Highest priority first, then oldest."""
    row = db.execute(_take, {"now": now, "least": least, "by": claim}).first()
    return None if row is None else Letter(row)


def marked(db: Connection, claim: str) -> Letter | None:
    """The mail that is marked with this claim, if there is one."""
    row = db.execute(_marked, {"by": claim}).first()
    return None if row is None else Letter(row)


def hold(db: Connection, number: int, claim: str) -> bool:
    """Lock a mail for as long as the transaction lasts; False when somebody took its mark away."""
    return db.execute(_held, {"number": number, "by": claim}).first() is not None


_settle = (
    update(mail)
    .where(
        mail.c.id == bindparam("number"),
        mail.c.claim == bindparam("by"),
        mail.c.state.in_((literal_column("'sending'"), literal_column("'unsure'"))),
    )
    .values(
        **{name: bindparam(f"new_{name}") for name in _CHANGED},
        due_at=bindparam("new_due_at"),
        claim=None,
        changed_at=bindparam("now"),
    )
)


_settle_and_take = _take.add_cte(_settle.cte("settled"))


def settle(db: Connection, number: int, claim: str, change: Change, now: float) -> None:
    """Write down what became of a mail. One that was taken for its sender's legacy meanwhile is settled too."""
    db.execute(_settle, _settling(number, claim, change, now))


def settle_and_take(
    db: Connection, number: int, claim: str, change: Change, now: float, least: int
) -> Letter | None:
    """`settle`, and `take` the next one; in one statement where the
    database can, since each is a round trip for each mail."""
    if not dialect_of(db).writes_in_queries:
        settle(db, number, claim, change, now)
        return take(db, claim, now, least)
    row = db.execute(_settle_and_take, {**_settling(number, claim, change, now), "least": least}).first()
    return None if row is None else Letter(row)


def _settling(number: int, claim: str, change: Change, now: float) -> dict[str, object]:
    given: dict[str, object] = {f"new_{name}": getattr(change, name) for name in _CHANGED}
    given["new_due_at"] = now + change.due_in
    given["new_remaining"] = json.dumps(list(change.remaining))
    given["new_refused"] = json.dumps(dict(change.refused)) if change.refused else None
    return {**given, "number": number, "by": claim, "now": now}


_abandoned = unclaimed(
    select(mail.c.id).where(
        _is_sending, mail.c.changed_at < bindparam("before"), mail.c.claim != bindparam("by")
    ),
    mail,
)


@cache
def _give_up(dialect: Dialect, *, resend: bool) -> tuple[Rows, Any]:
    rows = dialect.rows(id=BigInteger)
    said: dict[str, Any] = {"unsure": mail.c.unsure + 1, "changed_at": bindparam("now")}
    if resend:
        said |= {"state": "waiting", "claim": None, "due_at": bindparam("now")}
    else:
        said |= {"state": "unsure", "error": "its sender ended while it was sent"}
    return rows, update(mail).where(mail.c.id.in_(rows.select())).values(said)


_put_back = (
    update(mail)
    .where(
        mail.c.claim == bindparam("by"),
        mail.c.id != bindparam("last"),
        mail.c.state.in_((literal_column("'sending'"), literal_column("'unsure'"))),
    )
    .values(
        state="waiting",
        claim=None,
        error=None,
        unsure=mail.c.unsure - case((_is_sending, 0), else_=1),
        changed_at=bindparam("now"),
    )
)


def put_back(db: Connection, claim: str, last: int, now: float) -> None:
    """What was marked with this claim, and not delivered, waits again, also if it was given up meanwhile; ``last`` was
    delivered."""
    db.execute(_put_back, {"by": claim, "last": last, "now": now})


def give_up_abandoned(db: Connection, claim: str, before: float, now: float, *, resend: bool) -> int:
    """Find what other senders than this one were sending when they ended, marked before ``before``; returns how many
    there were."""
    found = db.execute(_abandoned, {"before": before, "by": claim}).scalars().all()
    if found:
        rows, statement = _give_up(dialect_of(db), resend=resend)
        db.execute(statement, {**rows.bind([(number,) for number in found]), "now": now})
    return len(found)
