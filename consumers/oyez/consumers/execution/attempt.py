"""Calling a handler for one event: its outcome is what it returned or raised."""

from __future__ import annotations

import traceback

from oyez.schemas.declaration import Prerequisite

from ..core.outcomes import DONE, Dead, Failed, NotReady, Outcome, Reject, RetryAfter, Waits
from ..core.user_errors import text_of
from ..database.engine import raise_for_database
from ..database.session import HandlerSession
from .delivery import Delivery, payloads

HANDLER_ERRORS = (Exception, SystemExit)
LONGEST = 4000  # characters of an error's text that are kept, so that there is room for its place


def attempt(delivery: Delivery, db: HandlerSession | None) -> Outcome:
    """Call a delivery's handler. Raises only what is no handler's fault: see `raise_for_database`."""
    try:
        delivery.handler.call(payloads([delivery]), db)
        if db is not None:
            db.settle()
    except HANDLER_ERRORS as error:
        if db is not None:
            raise_for_database(error, db.joined)
        return outcome_of(error)
    return DONE


def outcome_of(error: BaseException) -> Outcome:
    """What a handler asks for by raising."""
    match error:
        case NotReady(prerequisite=Prerequisite() as prerequisite):
            return Waits(prerequisite, raised=True)
        case NotReady():
            return Failed(str(error))
        case RetryAfter(seconds=seconds):
            return Failed(f"RetryAfter: {error}", after=seconds)
        case Reject(reason=reason):
            return Dead("rejected by its handler", str(reason))
    return Failed(describe(error), type(error).__name__)


def describe(error: BaseException) -> str:
    """An error as it is kept with a parked delivery: the error in one line, then where the handler raised it."""
    frames = "".join(traceback.format_tb(error.__traceback__)[-3:])
    return f"{type(error).__name__}: {text_of(error)[:LONGEST]}\n{frames}"
