"""Running handlers that have no database parameter, and remembering what happened when a batch is taken again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ..core.deadline import Deadline
from ..database.inbox import EventId
from .attempt import HANDLER_ERRORS, attempt
from .delivery import BEHIND, DONE, UNRUN, Failed, Outcome, Result, Share, Waits, payloads

LOSSES = 2  # connections that a handler may cost while the database answers, before that is its failure


class Memory:
    """What one batch's handlers did that a rollback does not undo."""

    def __init__(self) -> None:
        self._ran: dict[tuple[str, EventId], Outcome] = {}
        self._lost: Counter[tuple[str, EventId]] = Counter()
        self._in_database: Share | None = None

    def run(self, shares: Sequence[Share], deadline: Deadline) -> list[Result]:
        """Run one handler's shares, in order. A failure is caught in place; what follows of its key parks behind."""
        fresh = [share for share in shares if _name(share) not in self._ran]
        if len(fresh) > 1 and fresh[0].handler.signature.form.is_batch:
            self._try_all(fresh)
        failed: set[tuple[str, str]] = set()
        results = [self._each(share, failed) for some in deadline.slices(shares) for share in some]
        return results + [(share, UNRUN) for share in shares[len(results) :]]

    def begin(self, share: Share) -> Failed | None:
        """A share is about to run in the database; its failure, if it has cost connections before."""
        self._in_database = share
        if self._lost[_name(share)] < LOSSES:
            return None
        return Failed(
            "its connection to the database was lost while the database answered: was it closed, or idle "
            "in the transaction for too long?",
            "ConnectionLost",
        )

    def end(self) -> None:
        """The share has run."""
        self._in_database = None

    def lose(self) -> None:
        """The connection was lost though the database answers: the share that ran, if one did, may have done it."""
        if self._in_database is not None:
            self._lost[_name(self._in_database)] += 1
            self._in_database = None

    def _try_all(self, shares: Sequence[Share]) -> None:
        try:
            shares[0].handler.call(payloads(shares), None)
        except HANDLER_ERRORS:
            return  # each alone, then, to find out which
        self._ran.update((_name(share), DONE) for share in shares)

    def _each(self, share: Share, failed: set[tuple[str, str]]) -> Result:
        if share.ordered_key in failed:
            return share, BEHIND
        outcome = self._ran.get(_name(share)) or attempt(share, None)
        self._ran[_name(share)] = outcome
        if isinstance(outcome, Failed | Waits) and share.ordered_key is not None:
            failed.add(share.ordered_key)
        return share, outcome


def _name(share: Share) -> tuple[str, EventId]:
    return share.handler.name, share.taken.event_id
