"""`oyez replay`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Annotated
from uuid import uuid4

import typer

from oyez.schemas import catalogue
from oyez.schemas.text import flaw

from ...admin import Pacing
from ...core.rate_limit import Pace
from ...replay.announcing import NotAnnouncedAgain
from ...replay.choosing import Picked, Seen, Wanted, chosen, look
from ...replay.identity import kept, new_in
from ...replay.sources import Source
from ...settings import ListenSettings
from ..common import output
from ..common.application import application_of
from ..common.bulk import BULK, BulkOptions
from ..common.bundles import taking
from ..common.confirming import confirm, several
from ..common.errors import UsageProblem
from ..common.exits import FAILED, OK
from ..common.options import settings_by
from ..common.progress import progress
from ..common.rates import RATE
from ..common.stopping import between_steps, exit_code
from .replay_counts import print_done, print_found, say
from .replay_from import WANTED, Where, named_signals, source_of
from .replay_to import Outcome, Take, announcing_to, delivering_to, handler_named


@dataclass(frozen=True)
class Asked:
    """What is to be replayed: ``limit`` events at most."""

    source: Source
    wanted: Wanted
    limit: int | None

    def total(self, seen: Seen) -> int:
        """How many events these are."""
        allowed = len(seen.replays) - seen.looped(self.wanted.most)
        return allowed if self.limit is None else min(allowed, self.limit)

    def events(self, seen: Seen, stopped: Callable[[], bool] = lambda: False) -> Iterator[Picked]:
        """The events, always the same ones."""
        return islice(chosen(self.source, self.wanted, seen, stopped), self.limit)


@taking(WANTED, BULK, RATE, settings_by("app", "kafka", "database", "transport"))
def replay(
    *,
    where: Where = None,
    wanted: Wanted,
    to_handler: Annotated[
        str | None,
        typer.Option(
            "--to-handler",
            metavar="HANDLER",
            help="Deliver them to this handler alone, by the retry table.",
        ),
    ] = None,
    new_ids: Annotated[
        bool,
        typer.Option(
            "--new-ids", help="Under new ids: handled anew by whoever has handled them. Doubles effects."
        ),
    ] = False,
    run: Annotated[
        str | None,
        typer.Option(
            "--run", metavar="NAME", help="Go on with this run: what it has done is not done again."
        ),
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", metavar="N", min=1, help="So many events at most.")
    ] = None,
    options: BulkOptions,
    pace: Pace,
    settings: ListenSettings,
) -> None:
    """Announce stored events again: from the spool, from Kafka, or from a file.

    They keep their ids, so that a group handles what it has not handled, and nothing twice. With --new-ids they are
    handled anew. With --to-handler one handler is given them, and nobody else.
    """
    name = _run_named(run)
    application = application_of(settings)
    wanted = replace(wanted, signals=named_signals(catalogue, sorted(wanted.signals)))
    handler = None if to_handler is None else handler_named(application, to_handler, wanted)
    if handler is not None:
        wanted = replace(wanted, signals=frozenset((handler.declaration.name,)))
    asked = Asked(source_of(where, settings, _topics(settings, wanted)), wanted, limit)
    with progress("read", None, hidden=options.as_json) as advance:
        seen = look(asked.source, wanted, advance)
    total, looped = asked.total(seen), seen.looped(wanted.most)
    if options.dry_run or not total:
        print_found(asked.events(seen), as_json=options.as_json)
        say(seen, looped)
        raise typer.Exit(FAILED if looped or seen.missing else OK)
    identity = new_in(name) if new_ids else kept
    way = f"under {'new' if new_ids else 'their own'} ids"
    if handler is None:
        confirm(f"announce {several(total, 'event')} again, {way}?", yes=options.yes)
        target = announcing_to(settings, identity)
    else:
        confirm(f"deliver {several(total, 'event')} to {handler.name}, {way}?", yes=options.yes)
        target = delivering_to(application, handler, settings, identity, name)
    if run is None and (new_ids or handler is not None):
        output.note(f"this is run {name}: if it is cut off, go on by --run {name} and the same options")
    with target as take:
        outcome, number = _done(asked, seen, take, pace, as_json=options.as_json)
    counts = {"run": name, "matched": total, **outcome.counts(is_delivery=handler is not None)}
    print_done(counts, as_json=options.as_json)
    say(seen, looped)
    outcome.say()
    if left := total - outcome.total:
        output.note(
            f"{several(left, 'event')} left; go on by --run {name} and the same options: what is done is not done again"
        )
    if number:
        raise typer.Exit(exit_code(number))
    if outcome.problem or outcome.delivered.undecodable or looped or seen.missing:
        raise typer.Exit(FAILED)


def _topics(settings: ListenSettings, wanted: Wanted) -> list[str]:
    """Those of the signals that are meant."""
    meant = (one for one in catalogue if not wanted.signals or one.name in wanted.signals)
    return sorted({one.topic or settings.topic for one in meant})


def _run_named(run: str | None) -> str:
    if run is None:
        return f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{uuid4().hex[:6]}"
    if reason := flaw(run):
        raise UsageProblem(f"--run: it {reason}")
    return run


def _done(asked: Asked, seen: Seen, take: Take, pace: Pace, *, as_json: bool) -> tuple[Outcome, int]:
    """What was done, and the number of the signal that has stopped it, or 0."""
    outcome = Outcome()
    showing = progress("replay", asked.total(seen), hidden=as_json)
    with showing as advance, output.aside(), between_steps() as stop:
        for some in Pacing.at(pace, stop).steps(asked.events(seen, stop)):
            try:
                outcome.add(take(some))
            except NotAnnouncedAgain as error:
                outcome.add(Outcome(error.arrived, problem=str(error)))
                break
            advance(len(some))
    return outcome, stop.number
