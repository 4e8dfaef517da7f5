"""The mail queue: the filter of `oyez mail list` in an address, and a page of what it finds, the newest first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection

from ...admin.mail import CANCEL, HOLD, PURGE, RELEASE, RETRY, MailMove, within
from ...cli.common.ages import age_of
from ...cli.common.errors import UsageProblem
from ...core.numerals import number_of
from ...database import mail_filter
from ...database.mail_filter import MailFilter
from ...database.mails import STATES, URGENT
from ...reports.mails import QueuedMail, newest_mails

FIELDS = ("mail", "state", "handler", "source", "priority", "to", "error", "event", "newer", "older")
ON_A_PAGE = 50
MOST = 10_000
"""Mails that are counted, and that one form changes at most."""
MOVES: Mapping[str, MailMove] = {move.name: move for move in (HOLD, RELEASE, CANCEL, RETRY, PURGE)}
SAID: Mapping[str, str] = {
    "hold": "They are not sent until they are released.",
    "release": "They are sent in their turn. One that may have been sent is sent again.",
    "cancel": "They will not be sent.",
    "retry": "They are tried again at once, for the recipients who do not have them.",
    "purge": "They are deleted, with all that is kept of them.",
}
DONE: Mapping[str, str] = {
    "hold": "held",
    "release": "released",
    "cancel": "canceled",
    "retry": "retried",
    "purge": "purged",
}


class WrongMailFilter(UsageProblem):
    """A field of a filter says what it cannot say."""


@dataclass(frozen=True)
class ChosenMails:
    """What was chosen: the fields as they were given, and the filter that they are."""

    fields: Mapping[str, str]
    wanted: MailFilter

    @property
    def words(self) -> str:
        """The fields in words."""
        return ", ".join(f"{name} {value}" for name, value in self.fields.items()) or "all"


@dataclass(frozen=True)
class ListedMails:
    """A page of mails. ``older``: the number below which the next page begins, None if there is none. ``count`` is None
    if there are more than are counted."""

    rows: Sequence[QueuedMail]
    count: int | None
    older: int | None


def mails_chosen(said: Mapping[str, str], now: float) -> ChosenMails:
    """What the fields say; ``now`` is in seconds since the epoch. Raises `WrongMailFilter`."""
    fields = {name: value for name in FIELDS if (value := said.get(name, "").strip())}
    for name, value in fields.items():
        if "\0" in value:
            raise WrongMailFilter(f"{name}: nothing has a NUL in it")
    state = fields.get("state")
    if state is not None and state not in STATES:
        raise WrongMailFilter(f"state {state[:50]!r}: a mail is {', '.join(STATES)}")
    exact = {name: fields.get(name) for name in ("handler", "source", "to", "error")}
    wanted = MailFilter(
        **exact,  # type: ignore[arg-type] # texts or None
        states=() if state is None else (state,),
        priority=_priority(fields),
        events=(fields["event"],) if "event" in fields else (),
        numbers=() if (number := number_in(fields, "mail")) is None else (number,),
        since=now - _age("newer", fields["newer"]) if "newer" in fields else None,
        before=now - _age("older", fields["older"]) if "older" in fields else None,
    )
    return ChosenMails(fields, wanted)


def _priority(fields: Mapping[str, str]) -> int | None:
    if "priority" not in fields:
        return None
    found = number_of(fields["priority"])
    if found is None or found > URGENT:
        raise WrongMailFilter(f"priority {fields['priority'][:50]!r}: a number from 0 to {URGENT}")
    return found


def _age(name: str, text: str) -> float:
    found = age_of(text)
    if found is None:
        raise WrongMailFilter(
            f"{name} {text[:50]!r}: write a number with s, m, h, d or w, such as 10m, 2h or 3d"
        )
    return found


def number_in(said: Mapping[str, Any], name: str) -> int | None:
    """A number that a page has as a link. Raises `WrongMailFilter`."""
    text = said.get(name, "")
    found = number_of(text)
    if text and found is None:
        raise WrongMailFilter(f"{name} {text[:50]!r}: it is a number")
    return found


def mails_listed(db: Connection, wanted: MailFilter, below: int | None) -> ListedMails:
    """The newest ones, those with numbers below one if it is given."""
    rows = newest_mails(db, wanted, ON_A_PAGE + 1, below)
    count = mail_filter.count(db, wanted, MOST + 1)
    shown = rows[:ON_A_PAGE]
    return ListedMails(
        shown, count if count <= MOST else None, shown[-1].id if len(rows) > ON_A_PAGE else None
    )


def moves_of(mail: QueuedMail) -> list[str]:
    """What can be done with a mail, as it is."""
    return [name for name, move in MOVES.items() if mail.state in (*move.states, *move.if_named)]


def for_move(move: MailMove, chosen: ChosenMails) -> ChosenMails:
    """The same mails, as far as they are for a move. Raises `WrongMailFilter` if none can be."""
    try:
        return replace(chosen, wanted=within(move, chosen.wanted))
    except ValueError as error:
        raise WrongMailFilter(str(error)) from None
