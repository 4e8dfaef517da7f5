"""The last step of a transaction: write what each share waits for, mark pairs met, release what waited for them.

The order of the statements is what no wake-up is lost by: first the pairs are locked, in one statement; only
then, in later ones, is anything parked, asked, marked or released.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import Connection

from oyez.schemas import Pair

from ..core.backoff import Limits
from ..core.report import Report
from ..database import dead_letters, prerequisites
from ..database.mark_met import meet
from ..database.parked import HandlerKey
from ..handlers.application import Group
from .delivery import DONE, Behind, Dead, Done, Failed, Outcome, Result, Share, Unrun, Waits
from .readiness import MetPairs
from .writes import Writes

Doubted = tuple[str, str, Pair]


class Settling:
    """Settles the results of one transaction for one group."""

    def __init__(self, group: Group, limits: Limits, known: MetPairs) -> None:
        self._group = group
        self._limits = limits
        self._known = known
        self._records = any(declaration.subject for declaration in group.declarations)

    def settle(self, db: Connection, results: Sequence[Result], now: float) -> Report:
        """Write the outcome of every share; the caller commits."""
        app, report = self._group.app, Report()
        self._known.age(now)
        writes = Writes(self._group, self._limits, now, report)
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
        """How many events these shares are of; of those only whose outcome is of one of the ``kinds``, if any."""
        if kinds:
            results = [result for result in results if isinstance(result[1], kinds)]
        if len(self._group.handlers) == 1 or not results:
            return len(results)
        if results[0][0].row is None:
            return len({share.at for share, _ in results})
        return len({share.taken.event_id for share, _ in results})

    def _answered(self, results: Sequence[Result]) -> set[Pair]:
        """What the application's own tables have said while this was taken: it is recorded, too."""
        if not self._group.answers.signals:
            return set()
        return {pair for share, _ in results for pair in share.answered}

    def _candidates(self, results: Sequence[Result]) -> Mapping[Pair, list[Share]]:
        """The pairs that these results may complete, each with the shares that did it."""
        unfinished: set[tuple[str, str]] = set()
        completing: list[Share] = []
        for share, outcome in results:
            if share.handler.name in self._group.completing[share.taken.declaration.name]:
                if outcome is DONE:
                    completing.append(share)
                else:
                    unfinished.add(share.taken.event_id)
        candidates: dict[Pair, list[Share]] = {}
        for share in completing:
            if share.taken.event_id not in unfinished and (pair := share.pair) and pair not in self._known:
                candidates.setdefault(pair, []).append(share)
        return candidates

    def _completed(self, db: Connection, candidates: Mapping[Pair, list[Share]]) -> set[Pair]:
        """The candidates of which no completing share is parked or dead any more.

        Asked only now, under the pairs' locks: of two who finish an event's last two shares, the later one
        sees that the other is gone.
        """
        doubtful = {s.taken.event_id for ours in candidates.values() for s in ours if s.row is not None}
        signals = {pair.signal for pair in candidates}
        names = [name for signal in signals for name in self._group.completing[signal]]
        unfinished = dead_letters.unfinished(db, self._group.app, doubtful, names)
        return {
            pair for pair, ours in candidates.items() if any(s.taken.event_id not in unfinished for s in ours)
        }

    def _hopeless(self, db: Connection, results: Sequence[Result], met: set[Pair]) -> set[Doubted]:
        """What waits, as the new head of its key, for the very pair that its predecessor died of."""
        asked = [
            (*key, outcome.pair)
            for share, outcome in results
            if isinstance(outcome, Waits) and outcome.pair not in met
            if share.row is not None and (key := share.ordered_key) is not None
        ]
        return dead_letters.died_of(db, self._group.app, asked)

    def _dying(self, results: Sequence[Result], hopeless: set[Doubted]) -> Iterator[Result]:
        """These results; what stands behind one that dies of a pair, and would wait for that very pair, is no
        longer behind it but waits as well."""
        died_of: dict[HandlerKey, Pair] = {}
        for share, outcome in results:
            key = share.ordered_key
            if key is None or not hopeless:
                yield share, outcome
            elif isinstance(outcome, Behind) and key in died_of and self._first_unmet(share) == died_of[key]:
                yield share, Waits(died_of[key])
            else:
                died_of.pop(key, None)
                if isinstance(outcome, Waits) and (*key, outcome.pair) in hopeless:
                    died_of[key] = outcome.pair
                yield share, outcome

    def _first_unmet(self, share: Share) -> Pair | None:
        return next((pair for pair in share.required if pair not in self._known), None)


def _concerned(unfinished: Sequence[Result]) -> set[Pair]:
    """The pairs that are waited for, and those that new shares behind a head would meet.

    The head may be about to wait for just such a pair. Whoever comes second sees the other, and moves the
    share before the head.
    """
    waits = {outcome.pair for _, outcome in unfinished if isinstance(outcome, Waits)}
    behind = {
        share.pair for share, outcome in unfinished if isinstance(outcome, Behind) and share.row is None
    }
    return waits | {pair for pair in behind if pair is not None}


def _decide(result: Result, met: set[Pair], hopeless: set[Doubted], writes: Writes) -> None:
    share, outcome = result
    match outcome:
        case Behind():
            writes.behind(share)
        case Unrun():
            writes.later(share)
        case Waits(pair, raised=True) if pair in met:
            writes.retry(share, f"NotReady: {pair.signal} {pair.subject!r} is met already")
        case Waits(pair) if pair in met:
            writes.again_now(share)
        case Waits(pair) if share.ordered_key and (*share.ordered_key, pair) in hopeless:
            writes.bury(share, "never met, like its predecessor", None, pair)
        case Waits(pair, raised):
            writes.wait(share, pair, raised)
        case Failed(error, kind):
            writes.retry(share, error, kind)
        case Dead(reason, error):
            writes.reject(share, reason, error)
