"""The last step of a transaction: write what each delivery waits for, mark prerequisites met, release what waited.

The order of the statements is what no wake-up is lost by: first the prerequisites are locked, in one statement; only
then, in later ones, is anything parked, asked, marked or released.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from sqlalchemy import Connection

from oyez.schemas.declaration import Prerequisite

from ..core.backoff import RetryPolicy
from ..core.outcomes import DONE, EXPIRED, Behind, Waits
from ..core.release import Release
from ..core.report import Report
from ..database import dead_letters, prerequisites
from ..database.key_heads import HandlerKey
from ..database.mark_met import meet
from ..handlers.application import Group
from .decide import Doubted, Facts, decide
from .delivery import Delivery, Result
from .failures import failures, faults
from .journal import Decided, Journal
from .pauses import Pauses
from .readiness import Known, MetPrerequisites
from .writes import Writes


class Settling:
    """Settles the results of one transaction for one group."""

    def __init__(
        self,
        group: Group,
        policy: RetryPolicy,
        met: MetPrerequisites,
        pauses: Pauses,
        journal: Journal | None = None,
    ) -> None:
        self._pauses = pauses
        self._journal = journal
        self._group = group
        self._policy = policy
        self._met = met
        self._records = any(declaration.subject for declaration in group.declarations)
        self._remembers = self._records or any(handler.requires for handler in group.handlers)

    def settle(
        self,
        db: Connection,
        results: Sequence[Result],
        known: Known,
        now: float,
        seconds: float | None = None,
    ) -> Report:
        """Write the outcome of every delivery; the caller commits. ``seconds`` is what their handlers took."""
        if self._remembers:
            self._met.age(now)
        unfinished = [result for result in results if result[1] is not DONE]
        decided: Sequence[Decided] = ()
        if unfinished or known.answered or self._records or _are_claimed(results):
            report, decided = self._settle(db, results, unfinished, known.answered, now)
        else:
            count = self._count(results)
            report = Report(events=count, handled=count, done=len(results))
        if self._journal is not None and (decided or self._journal.has_done):
            self._journal.write(db, results, decided, now, seconds)
        return report

    def _settle(
        self,
        db: Connection,
        results: Sequence[Result],
        unfinished: list[Result],
        answers: AbstractSet[Prerequisite],
        now: float,
    ) -> tuple[Report, Sequence[Decided]]:
        app = self._group.app
        writes = Writes(self._group, now)
        if not (unfinished or answers or self._records):
            return self._all_done(db, results, writes), ()
        done = results if not unfinished else [result for result in results if result[1] is DONE]
        writes.done(done)
        writes.remove_done(db)
        candidates = self._candidates(results) if self._records else {}
        unfinished.sort(key=lambda result: result[0].at)
        answered = _required(results, answers)
        met_before = prerequisites.lock(db, app, _concerned(unfinished) | set(candidates) | answered, now)
        newly_met = (self._completed(db, candidates) | answered) - met_before
        hopeless = self._hopeless(db, unfinished, met_before | newly_met)
        facts = Facts(now, self._policy, met_before, hopeless, self._pauses.until)
        for delivery, outcome in self._dying(unfinished, hopeless):
            writes.add(delivery, decide((delivery, outcome), facts))
        writes.write(db)
        released, revived, may_be_more = meet(db, app, newly_met, now)
        if self._group.on_release is not None and (released or revived):
            self._group.on_release(_release([*released, *revived], len(revived), newly_met, candidates))
        promoted = writes.make_due(db, met_before | newly_met)
        taken = [result for result in results if not _is_for_lane(result)] if unfinished else results
        events = self._count(taken)
        ended, handled = self._count_ended(taken) if unfinished else (events, events)
        counts: dict[str, Any] = dict(writes.counts)  # a kind that `Report` does not know is refused by it
        report = Report(
            events=events,
            handled=handled,
            expired_events=ended - handled,
            done=len(done),
            **counts,
            promoted=promoted,
            released=released + revived,
            revived=len(revived),
            may_be_more=may_be_more,
            met=newly_met | met_before,
            due_in=0.0 if self._group.name in {*released, *revived} else writes.due_in,
            failures=failures(unfinished, met_before),
            faults=faults(unfinished),
            fresh=writes.fresh,
        )
        return report, writes.decided

    def _all_done(self, db: Connection, results: Sequence[Result], writes: Writes) -> Report:
        """Of claimed rows, for which nobody waits."""
        writes.done(results)
        promoted, events = writes.end_done(db), self._count(results)
        return Report(
            events=events, handled=events, done=len(results), promoted=promoted, due_in=writes.due_in
        )

    def _count(self, results: Sequence[Result]) -> int:
        """How many events these deliveries are of."""
        if len(self._group.handlers) == 1 or not results:
            return len(results)
        if results[0][0].row is None:
            return len({delivery.at for delivery, _ in results})
        return len({delivery.taken.event_id for delivery, _ in results})

    def _count_ended(self, results: Sequence[Result]) -> tuple[int, int]:
        """How many events something of which has come to its end; of how many not only by expiring."""
        ended = [result for result in results if result[1].is_final]
        return self._count(ended), self._count([result for result in ended if result[1] is not EXPIRED])

    def _candidates(self, results: Sequence[Result]) -> Mapping[Prerequisite, list[Delivery]]:
        """The prerequisites that these results may complete, each with the deliveries that did it."""
        unfinished: set[tuple[str, str]] = set()
        completing: list[Delivery] = []
        for delivery, outcome in results:
            if delivery.handler.name in self._group.completing[delivery.taken.declaration.name]:
                if outcome is DONE:
                    completing.append(delivery)
                else:
                    unfinished.add(delivery.taken.event_id)
        candidates: dict[Prerequisite, list[Delivery]] = {}
        for delivery in completing:
            if (
                delivery.taken.event_id not in unfinished
                and (prerequisite := delivery.prerequisite)
                and prerequisite not in self._met
            ):
                candidates.setdefault(prerequisite, []).append(delivery)
        return candidates

    def _completed(
        self, db: Connection, candidates: Mapping[Prerequisite, list[Delivery]]
    ) -> set[Prerequisite]:
        """The candidates of which no completing delivery is parked or dead any more.

        Asked only now, under the prerequisites' locks: of two who finish an event's last two deliveries, the later one
        sees that the other is gone.
        """
        doubtful = {one.taken.event_id for ours in candidates.values() for one in ours if one.row is not None}
        signals = {prerequisite.signal for prerequisite in candidates}
        names = [name for signal in signals for name in self._group.completing[signal]]
        unfinished = dead_letters.unfinished(db, self._group.app, doubtful, names)
        return {
            prerequisite
            for prerequisite, ours in candidates.items()
            if any(one.taken.event_id not in unfinished for one in ours)
        }

    def _hopeless(self, db: Connection, results: Sequence[Result], met: set[Prerequisite]) -> set[Doubted]:
        """What waits, as the new head of its key, for the very prerequisite that its predecessor died of."""
        asked = [
            (*key, outcome.prerequisite)
            for delivery, outcome in results
            if isinstance(outcome, Waits) and outcome.prerequisite not in met
            if delivery.row is not None and (key := delivery.ordered_key) is not None
        ]
        return dead_letters.died_of(db, self._group.app, asked)

    def _dying(self, results: Sequence[Result], hopeless: set[Doubted]) -> Iterator[Result]:
        """These results; what stands behind one that dies of a prerequisite, and would wait for that very
        prerequisite, is no longer behind it but waits as well."""
        died_of: dict[HandlerKey, Prerequisite] = {}
        for delivery, outcome in results:
            key = delivery.ordered_key
            if key is None or not hopeless:
                yield delivery, outcome
            elif (
                isinstance(outcome, Behind) and key in died_of and self._first_unmet(delivery) == died_of[key]
            ):
                yield delivery, Waits(died_of[key])
            else:
                died_of.pop(key, None)
                if isinstance(outcome, Waits) and (*key, outcome.prerequisite) in hopeless:
                    died_of[key] = outcome.prerequisite
                yield delivery, outcome

    def _first_unmet(self, delivery: Delivery) -> Prerequisite | None:
        return next(
            (prerequisite for prerequisite in delivery.required if prerequisite not in self._met), None
        )


def _concerned(unfinished: Sequence[Result]) -> set[Prerequisite]:
    """The prerequisites that are waited for, and those that new deliveries behind a head would meet.

    The head may be about to wait for just such a prerequisite. Whoever comes second sees the other, and moves the
    delivery before the head.
    """
    waits = {outcome.prerequisite for _, outcome in unfinished if isinstance(outcome, Waits)}
    behind = {
        delivery.prerequisite
        for delivery, outcome in unfinished
        if isinstance(outcome, Behind) and delivery.row is None
    }
    return waits | {prerequisite for prerequisite in behind if prerequisite is not None}


def _are_claimed(results: Sequence[Result]) -> bool:
    """Whether these are of a claim; those of a batch have no rows."""
    return bool(results) and results[0][0].row is not None


def _is_for_lane(result: Result) -> bool:
    """Whether a delivery is only put where lanes find it: it is taken in hand by them."""
    delivery, outcome = result
    return delivery.row is None and delivery.handler.concurrency is not None and not outcome.has_run


def _required(results: Sequence[Result], answers: AbstractSet[Prerequisite]) -> set[Prerequisite]:
    """What these deliveries require of what the application's own tables have said is met: it is recorded, too."""
    if not answers:
        return set()
    return {needed for delivery, _ in results for needed in delivery.required if needed in answers}


def _release(
    released: Sequence[str],
    revived: int,
    met: AbstractSet[Prerequisite],
    candidates: Mapping[Prerequisite, Sequence[Delivery]],
) -> Release:
    envelopes = [one.taken.envelope for needed in met for one in candidates.get(needed, ())]
    traces = (envelope.get("traceparent") for envelope in envelopes)
    return Release(sorted(met), released, revived, [one for one in traces if isinstance(one, str)])
