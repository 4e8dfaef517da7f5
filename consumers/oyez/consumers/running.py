"""Running a batch's handlers: all together, and, when one of them failed, one event at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from .attempts import HANDLER_ERRORS, attempt, outcome_of
from .database.connection import HandlerConnection, HandlerSession
from .database.engine import raise_for_database
from .database.inbox import EventId
from .planning import Completing, Plan, Work
from .readiness import Readiness
from .reading import Taken
from .shares import BEHIND, DONE, Done, Failed, Outcome, Result, Share, Waits, payloads


class HandlerFailed(Exception):
    """A handler failed in a batch that ran together; the batch is to be rolled back and taken one by one."""


class Runner(Protocol):
    """A way to run a batch."""

    def run(
        self, works: Sequence[Work], readiness: Readiness, completing: Completing, db: HandlerConnection
    ) -> list[Result]: ...


class Together:
    """The fast way: every handler gets all its events. Raises `HandlerFailed` if one fails in the database."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def run(
        self, works: Sequence[Work], readiness: Readiness, completing: Completing, db: HandlerConnection
    ) -> list[Result]:
        session = HandlerSession(db, "rollback_only")
        try:
            return self._run(Plan(works, readiness, completing), session)
        finally:
            session.discard()

    def _run(self, plan: Plan, db: HandlerSession) -> list[Result]:
        results = list(plan.parked)
        for handler, shares in plan.steps():
            if handler.uses_database:
                try:
                    handler.call(payloads(shares), db)
                    db.settle()
                except HANDLER_ERRORS as error:
                    raise_for_database(error, db.joined)
                    raise HandlerFailed from error
                results.extend((share, DONE) for share in shares)
            else:
                outcomes = self._memory.run(shares)
                if not plan.is_flat and any(not isinstance(outcome, Done) for _, outcome in outcomes):
                    raise HandlerFailed
                results.extend(outcomes)
        return results


class OneByOne:
    """The careful way: a savepoint for each share, so that one failure undoes nothing but itself."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def run(
        self, works: Sequence[Work], readiness: Readiness, completing: Completing, db: HandlerConnection
    ) -> list[Result]:
        results: list[Result] = []
        for taken, shares in works:
            ours = [self._one(share, readiness, db) for share in _database_first(shares)]
            results.extend(ours)
            _complete(taken, ours, readiness, completing)
        return results

    def _one(self, share: Share, readiness: Readiness, db: HandlerConnection) -> Result:
        outcome: Outcome | None = readiness.gate(share)
        if outcome is not None:
            readiness.park(share, outcome)
            return share, outcome
        outcome = self._alone(share, db) if share.handler.uses_database else self._memory.run([share])[0][1]
        readiness.park(share, outcome)
        return share, outcome

    def _alone(self, share: Share, db: HandlerConnection) -> Outcome:
        savepoint = db.begin_nested()
        session = HandlerSession(db, "create_savepoint")
        try:
            outcome = attempt(share, session)
        finally:
            session.discard()
        if isinstance(outcome, Done):
            outcome = self._accepted(db)
        if isinstance(outcome, Done):
            savepoint.commit()
        else:
            db.undo(savepoint)
        return outcome

    def _accepted(self, db: HandlerConnection) -> Outcome:
        return DONE


class Checking(OneByOne):
    """For a batch whose commit was refused: PostgreSQL checks deferred constraints after each share, not at the
    end, so that what violates one lands on the handler and the event that did it."""

    def _accepted(self, db: HandlerConnection) -> Outcome:
        if db.dialect.name != "postgresql":
            return DONE
        probe = db.begin_nested()
        try:
            db.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
        except DBAPIError as error:
            raise_for_database(error, db)
            return outcome_of(error)
        finally:
            db.undo(probe)  # they are deferred again
        return DONE


class Memory:
    """Runs handlers without a database parameter. It remembers what they did, for when the batch is taken again."""

    def __init__(self) -> None:
        self._ran: dict[tuple[str, EventId], Outcome] = {}

    def run(self, shares: Sequence[Share]) -> list[Result]:
        """Run one handler's shares, in order. A failure is caught in place; what follows of its key parks behind."""
        fresh = [share for share in shares if _name(share) not in self._ran]
        if len(fresh) > 1 and fresh[0].handler.signature.form.is_batch:
            self._try_all(fresh)
        failed: set[tuple[str, str]] = set()
        return [self._each(share, failed) for share in shares]

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


def _database_first(shares: Sequence[Share]) -> list[Share]:
    return sorted(shares, key=lambda share: not share.handler.uses_database)


def _complete(taken: Taken, results: Sequence[Result], readiness: Readiness, completing: Completing) -> None:
    names = completing.get(taken.declaration.name, frozenset())
    ours = [outcome for share, outcome in results if share.handler.name in names and share.is_last]
    if ours and all(isinstance(outcome, Done) for outcome in ours):
        readiness.complete(results[0][0].pair)


def more_careful(runner: Runner, memory: Memory) -> Runner | None:
    """The way to run a batch that did not get through in this one; None when there is no better."""
    match runner:
        case Checking():
            return None
        case OneByOne():
            return Checking(memory)
    return OneByOne(memory)
