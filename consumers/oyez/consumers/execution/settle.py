"""The last step of a transaction: write what each delivery waits for, mark prerequisites met, release what waited
for them.

The order of the statements is what no wake-up is lost by: first the prerequisites are locked, in one statement; only
then, in later ones, is anything parked, asked, marked or released.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import Connection

from oyez.schemas.declaration import Prerequisite

from ..core.backoff import RetryPolicy
from ..core.report import Report
from ..database import dead_letters, prerequisites
from ..database.mark_met import meet
from ..database.parked import HandlerKey
from ..handlers.application import Group
from .delivery import DONE, Behind, Dead, Delivery, Done, Failed, Outcome, Result, Unrun, Waits
from .readiness import MetPrerequisites
from .writes import Writes

Doubted = tuple[str, str, Prerequisite]


class Settling:
    """Settles the results of one transaction for one group."""

    def __init__(self, group: Group, limits: RetryPolicy, known: MetPrerequisites) -> None:
        self._group = group
        self._policy = limits
        self._known = known
        self._records = any(declaration.subject for declaration in group.declarations)

    def settle(self, db: Connection, results: Sequence[Result], now: float) -> Report:
        """Write the outcome of every delivery; the caller commits."""
        app, report = self._group.app, Report()
        self._known.age(now)
        writes = Writes(self._group, self._policy, now, report)
        unfinished = [result for result in results if result[1] is not DONE]
        writes.done(results if not unfinished else [result for result in results if result[1] is DONE])
        writes.remove_done(db)
        candidates = self._candidates(results) if self._records else {}
        unfinished.sort(key=lambda result: result[0].at)
        answered = self._answered(results)
        met_before = prerequisites.lock(db, app, _concerned(unfinished) | set(candidates) | answered, now)
        newly_met = (self._completed(db, candidates) | answered) - met_before
        hopeless = self._hopeless(db, unfinished, met_before | newly_met)
        for result in self._dying(unfinished, hopeless):
            _decide(result, met_before, hopeless, writes)
        writes.write(db)
        released, revived = meet(db, app, newly_met, now)
        report.released, report.revived = released + revived, len(revived)
        report.met = newly_met | met_before
        report.events = self._count(results)
        report.handled = self._count(results, Done, Dead) if unfinished else report.events
        writes.make_due(db)
        return report

    def _count(self, results: Sequence[Result], *kinds: type[Outcome]) -> int:
        """How many events these deliveries are of; of those only whose outcome is of one of the ``kinds``, if any."""
        if kinds:
            results = [result for result in results if isinstance(result[1], kinds)]
        if len(self._group.handlers) == 1 or not results:
            return len(results)
        if results[0][0].row is None:
            return len({delivery.at for delivery, _ in results})
        return len({delivery.taken.event_id for delivery, _ in results})

    def _answered(self, results: Sequence[Result]) -> set[Prerequisite]:
        """What the application's own tables have said while this was taken: it is recorded, too."""
        if not self._group.answers.signals:
            return set()
        return {prerequisite for delivery, _ in results for prerequisite in delivery.answered}

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
                and prerequisite not in self._known
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
        doubtful = {s.taken.event_id for ours in candidates.values() for s in ours if s.row is not None}
        signals = {prerequisite.signal for prerequisite in candidates}
        names = [name for signal in signals for name in self._group.completing[signal]]
        unfinished = dead_letters.unfinished(db, self._group.app, doubtful, names)
        return {
            prerequisite
            for prerequisite, ours in candidates.items()
            if any(s.taken.event_id not in unfinished for s in ours)
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
            (prerequisite for prerequisite in delivery.required if prerequisite not in self._known), None
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


def _decide(result: Result, met: set[Prerequisite], hopeless: set[Doubted], writes: Writes) -> None:
    delivery, outcome = result
    match outcome:
        case Behind():
            writes.behind(delivery)
        case Unrun():
            writes.later(delivery)
        case Waits(prerequisite, raised=True) if prerequisite in met:
            writes.retry(delivery, f"NotReady: {prerequisite.signal} {prerequisite.subject!r} is met already")
        case Waits(prerequisite) if prerequisite in met:
            writes.again_now(delivery)
        case Waits(prerequisite) if (
            delivery.ordered_key and (*delivery.ordered_key, prerequisite) in hopeless
        ):
            writes.bury(delivery, "never met, like its predecessor", None, prerequisite)
        case Waits(prerequisite, raised):
            writes.wait(delivery, prerequisite, raised)
        case Failed(error, kind):
            writes.retry(delivery, error, kind)
        case Dead(reason, error):
            writes.reject(delivery, reason, error)
