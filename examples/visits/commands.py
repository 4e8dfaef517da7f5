"""What the commands do, for the command line and the demonstration alike."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine

from oyez.producers import Settings
from visits import accesslog, checks, database
from visits.checks import Findings
from visits.driver import Driver, Outcome, Plan, Watch, prepare
from visits.kafka import Topic
from visits.progress import Course
from visits.sessions import deal, steps_of, visits_of
from visits.spool import Spool
from visits.work import Run, Work, read_announced, source_of


def import_log(run: Run, plan: Plan, work: Work, engine: Engine, watch: Watch) -> Outcome:
    """Import a log, to the end."""
    observer = prepare(run, plan, work, course_of(run, work), engine)
    return Driver(plan, run, work, engine, observer).execute(watch)


def course_of(run: Run, work: Work) -> Course:
    """What the events of an import go through."""
    if run.is_spooled:
        return Spool(work.spool, run.topic)
    return Topic(run.kafka, run.topic, Settings().kafka_options)


def check(run: Run, work: Work, engine: Engine) -> Findings:
    """Compare what an import left in the database with its log and with the servers' notes."""
    steps = steps_of(accesslog.read(Path(run.log)).views)
    sources = [source_of(number) for number in range(run.servers)]
    notes = {source: list(read_announced(work.announced(source))) for source in sources}
    with database.connected(engine) as db:
        rows, landed = database.visits_in(db), database.landings_in(db)
        found = checks.check(visits_of(steps), notes, rows, database.trails_in(db), landed)
    hands = dict(zip(sources, deal(steps, run.servers), strict=True))
    found.unannounced.extend(checks.unannounced(hands, notes))
    return found


def summary(outcome: Outcome) -> dict[str, float]:
    """How an import went, as it is printed: announced and handled are events, parked to dead deliveries."""
    seen = outcome.progress
    return {
        "announced": seen.announced,
        "handled": seen.handled,
        "parked": seen.ever_parked,
        "parked_delivery": round(seen.parked_delivery, 4),
        "released": seen.released,
        "dead": seen.dead,
        "seconds": round(outcome.seconds, 1),
    }
