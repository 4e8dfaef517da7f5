"""Calling a handler for one event: its outcome is what it returned or raised."""

from __future__ import annotations

from traceback import format_list

from oyez.schemas.declaration import Prerequisite

from ..core.call_spans import span_of
from ..core.error_groups import bare, leaves
from ..core.outcomes import DONE, Dead, Failed, NotReady, Outcome, Reject, RetryAfter, TimedOut, Waits
from ..core.stop_signals import raise_if_stop
from ..core.user_errors import telling_frames, text_of
from ..database.engine import raise_for_database
from ..database.session import HandlerSession
from .delivery import Delivery, payloads

LONGEST = 4000  # characters of an error's text that are kept, so that there is room for its place


def attempt(delivery: Delivery, db: HandlerSession | None) -> Outcome:
    """Call a delivery's handler. Raises only what is no handler's fault: see `raise_for_others`."""
    try:
        delivery.handler.call(payloads([delivery]), db)
        if db is not None:
            db.settle()
    except BaseException as error:  # noqa: BLE001 # also what asyncio, or an exit, ends with: it is the handler's
        raise_for_others(error, db)
        return outcome_of(error)
    return DONE


def raise_for_others(error: BaseException, db: HandlerSession | None) -> None:
    """Raise what is not the fault of the handler that raised ``error``: a stop from outside, and what
    `raise_for_database` raises."""
    raise_if_stop(error)
    if isinstance(error, TimedOut):
        return  # what it had begun was cancelled, and with it perhaps its connection
    if db is not None:
        for one in leaves(error):
            raise_for_database(one, db.joined)


def outcome_of(error: BaseException) -> Outcome:
    """What a handler asks for by raising. A group of one error is that error."""
    span = span_of(error)
    match error := bare(error):
        case NotReady(prerequisite=Prerequisite() as prerequisite):
            return Waits(prerequisite, raised=True, span=span)
        case NotReady():
            return Failed(str(error), span=span)
        case RetryAfter(seconds=seconds):
            return Failed(f"RetryAfter: {error}", after=seconds, span=span)
        case TimedOut():
            return Failed(f"TimedOut: {error}", TimedOut.__name__, span=span)
        case Reject(reason=reason):
            return Dead("rejected by its handler", str(reason), span)
    return Failed(describe(error), type(error).__name__, span=span)


def describe(error: BaseException) -> str:
    """An error as it is kept with a parked delivery: the error in one line, then where the handler raised it, and where
    in what it called."""
    frames = "".join(format_list(telling_frames(error.__traceback__)))
    return f"{type(error).__name__}: {_said(error)[:LONGEST]}\n{frames}"


def _said(error: BaseException) -> str:
    """The text of an error; a group's own says nothing of what is in it."""
    if not isinstance(error, BaseExceptionGroup):
        return text_of(error)
    return "; ".join([text_of(error), *(f"{type(one).__name__}: {text_of(one)}" for one in leaves(error))])
