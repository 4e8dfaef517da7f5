"""What commands do to all deliveries that a filter finds: count, warn, ask, do, and say what was done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from operator import itemgetter
from typing import Any

import typer

from ...admin import Pacing, Steps, Tally
from ...core.counted import several
from ...core.rate_limit import Pace
from ...database import Database as Transactions
from ...database.delivery_filter import Filter
from ...run.delivery_actions import Action, Chosen
from ...settings import ListenSettings
from ..common import output, probes
from ..common.ages import by_database
from ..common.application import application_of
from ..common.bulk import MORE, BulkOptions, apply, end_if_busy
from ..common.stopping import between_steps, exit_code
from ..common.unknown_names import Known

MOST_PREREQUISITES = 20


def act(
    action: Action, wanted: Filter, options: BulkOptions, settings: ListenSettings, pace: Pace | None = None
) -> None:
    """Do it to what the filter finds. Ends with exit code 1 if something was left that workers had, and with 130 if
    SIGINT came."""
    application = application_of(settings)
    with probes.engine_of(settings) as engine:
        steps, wanted = Steps(Transactions(engine)), replace(wanted, app=application.name)
        with engine.connect() as db:
            wanted = by_database(wanted, db)
        ids = steps.choose(action.table, wanted)
        chosen = Chosen(application, settings, engine, steps, wanted, ids)
        with engine.connect() as db:
            looked = action.look(db, wanted)
            if not ids:
                Known.of(application).tell(db, signal=wanted.signal, handler=wanted.handler)
        for warning in looked.warnings:
            output.note(warning)
        seen = {"matched": len(ids), **looked.counts}
        paced = _Paced(action, chosen, pace or Pace())
        tally = apply(action.verb, ids, options, paced)
    _print(action, seen, tally, options)
    if paced.signal:
        raise typer.Exit(exit_code(paced.signal))
    end_if_busy(tally)


class _Paced:
    """An action at a pace, until a signal comes; ``signal`` is its number then."""

    def __init__(self, action: Action, chosen: Chosen, pace: Pace) -> None:
        self._action = action
        self._chosen = chosen
        self._pace = pace
        self.signal = 0

    def __call__(self, advance: Callable[[int], None]) -> Tally:
        with between_steps() as stop:
            steps = Steps(Transactions(self._chosen.engine), Pacing.at(self._pace, stop))
            tally = self._action.work(replace(self._chosen, steps=steps), advance)
        self.signal = stop.number
        return tally


def _print(action: Action, seen: Mapping[str, int], tally: Tally, options: BulkOptions) -> None:
    done = {} if options.dry_run else {said: getattr(tally, name) for name, said in action.counts.items()}
    row: dict[str, Any] = {**seen, **done, **({"stopped": tally.stopped} if tally.stopped else {})}
    if options.as_json:
        met = [prerequisite._asdict() for prerequisite in tally.met]
        has_met = "released" in action.counts and not options.dry_run
        more = {"met": met, "may_be_more": tally.may_be_more}
        output.json_array([{**row, **more} if has_met else row])
    else:
        columns = [output.Column(name.replace("_", " "), itemgetter(name)) for name in row]
        output.table([row], columns, empty="")
    _say(tally)


def _say_met(tally: Tally) -> None:
    for prerequisite in tally.met[:MOST_PREREQUISITES]:
        output.note(
            f"{prerequisite.signal} {prerequisite.subject!r} is met now: nothing else stood in its way"
        )
    if len(tally.met) > MOST_PREREQUISITES:
        output.note(f"{len(tally.met) - MOST_PREREQUISITES} more prerequisites are met now")
    if tally.met:
        output.note(
            f"{several(tally.released)} waited for that and {'is' if tally.released == 1 else 'are'} due now"
        )
    if tally.revived:
        output.note(f"{several(tally.revived)} had died waiting for that: parked again, at the old places")
    if tally.may_be_more:
        output.note(MORE)


def _say(tally: Tally) -> None:
    _say_met(tally)
    if tally.stopped:
        output.note(
            f"stopped: {several(tally.stopped)} {'is' if tally.stopped == 1 else 'are'} left as they were"
        )
    if tally.expired:
        output.note(f"{several(tally.expired)} had expired, and came to an end without their handler")
    if tally.behind:
        output.note(f"{several(tally.behind)} follow an earlier one of their key")
    if tally.unregistered:
        output.note(
            f"{several(tally.unregistered)} of handlers that the application does not have any more were left"
        )
    if tally.undecodable:
        output.note(f"{several(tally.undecodable)} cannot be decoded still; `oyez dead show` says why")
