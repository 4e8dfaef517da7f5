"""What a mail server said to one mail, and what becomes of the mail."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

from oyez.schemas import OyezError

from ..core.backoff import RetryPolicy
from ..database.mails import Change, Letter, State
from .refusals import Cause, is_too_many

SHORTEST, LONGEST = 60.0, 3_600.0  # s that a mail waits for another connection


@dataclass(frozen=True)
class Answer:
    """The recipients that the server ``accepted``, those that it ``refused`` for good or ``delayed``, with its words.

    ``unsure`` says how the connection was lost when the whole mail had been given away and no answer had come.
    ``lost`` says that the connection was lost at all. ``cause`` is what a refusal is about; where it is the connection,
    ``blame`` may say what is to be told when that goes on. ``end``: nothing was said about this mail, and there is none
    that could be sent now. ``unset``: the server was not asked, since something is not set that this mail needs: it
    waits for that.
    """

    accepted: Sequence[str] = ()
    delayed: Mapping[str, str] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    unsure: str | None = None
    lost: bool = False
    cause: Cause = "mail"
    blame: OyezError | None = None
    end: OyezError | None = None
    unset: OyezError | None = None

    @property
    def is_turned_away(self) -> bool:
        """Whether it was the connection that was refused or lost, and the mail not given away."""
        return self.cause == "connection" and self.unsure is None

    @property
    def is_of_no_mail(self) -> bool:
        """Whether it says nothing about the mail, which waits without having lost an attempt."""
        return self.is_turned_away or self.unset is not None

    @classmethod
    def to_all(cls, recipients: Iterable[str], code: int, words: str) -> Self:
        """The same reply for several recipients: 2xx accepts, 5xx refuses, everything else delays."""
        if 200 <= code < 300:
            return cls(accepted=tuple(recipients))
        said = dict.fromkeys(recipients, f"{code} {words}")
        return cls(refused=said) if 500 <= code < 600 else cls(delayed=said)

    def and_also(self, refused: Mapping[str, str], delayed: Mapping[str, str]) -> Answer:
        """With what was said to other recipients before."""
        if not (refused or delayed):
            return self
        return replace(self, delayed={**delayed, **self.delayed}, refused={**refused, **self.refused})

    def for_all_of(self, recipients: Sequence[str]) -> Answer:
        """What was said to one who got the mail in the place of these."""
        delayed = dict.fromkeys(recipients, next(iter(self.delayed.values()), "")) if self.delayed else {}
        refused = dict.fromkeys(recipients, next(iter(self.refused.values()), "")) if self.refused else {}
        accepted = tuple(recipients) if self.accepted else ()
        return replace(self, accepted=accepted, delayed=delayed, refused=refused)


@dataclass(frozen=True)
class Rules:
    """``limits`` say when a mail is tried again and when it is given up, ``resend`` whether one that may have been sent
    is sent again."""

    limits: RetryPolicy
    resend: bool


def change_of(letter: Letter, answer: Answer, rules: Rules) -> Change:
    """What becomes of a mail after an attempt. A recipient who has it is never tried again."""
    if answer.end is not None:
        return _unchanged(letter, str(answer.end))
    is_free = answer.is_of_no_mail or _has_room_for_some(answer)
    attempts = letter.attempts + (not is_free)
    refused = {**letter.refused, **answer.refused}
    state, later = _state(answer, refused, attempts, rules)
    words = [
        *(f"{who}: {said}" for who, said in {**refused, **answer.delayed}.items()),
        *filter(None, [answer.unsure]),
        *([] if answer.unset is None else [str(answer.unset)]),
    ]
    return Change(
        state=state,
        due_in=_delay(letter, answer, attempts, rules) if later else 0.0,
        remaining=[one for one in letter.remaining if one not in answer.accepted],
        refused=refused,
        attempts=attempts,
        unsure=letter.unsure + (answer.unsure is not None),
        error="\n".join(words) or None,
    )


def _unchanged(letter: Letter, error: str) -> Change:
    return Change("waiting", 0.0, letter.remaining, letter.refused, letter.attempts, letter.unsure, error)


def _delay(letter: Letter, answer: Answer, attempts: int, rules: Rules) -> float:
    """The seconds until the next attempt. What is no mail's fault is not to stand in the way of the others in each run,
    should it be this mail's after all: it waits a quarter of the time that it has been due."""
    if answer.is_of_no_mail:
        return min(max(letter.due_for / 4, SHORTEST), LONGEST)
    return 0.0 if _has_room_for_some(answer) else rules.limits.delay(attempts)


def _has_room_for_some(answer: Answer) -> bool:
    """Whether the server took so many recipients as it takes at once: the others are for the next time."""
    return bool(answer.accepted and answer.delayed) and all(map(is_too_many, answer.delayed.values()))


def _state(answer: Answer, refused: Mapping[str, str], attempts: int, rules: Rules) -> tuple[State, bool]:
    """The state, and whether there is to be another attempt."""
    if answer.unsure is not None and not rules.resend:
        return "unsure", False
    if answer.is_of_no_mail or _has_room_for_some(answer):
        return "waiting", True
    if answer.unsure is not None or answer.delayed:
        is_last = attempts >= rules.limits.max_attempts
        return ("failed", False) if is_last else ("waiting", True)
    return ("failed" if refused else "sent"), False
