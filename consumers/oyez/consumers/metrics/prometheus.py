"""The subscriber that counts for Prometheus. Names are those of OpenMetrics: base units, `_total` for counters."""

from __future__ import annotations

import math
import time
from collections import Counter as Count
from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeVar

from prometheus_client import Counter, Gauge, Histogram

from ..core.counted import Unit
from ..core.leaving import Leaving
from ..core.outcomes import TimedOut
from ..core.report import Report
from ..database.engine import DatabaseAway
from ..instrumentation import events

T = TypeVar("T")

SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000)
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
DELAYS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3_600)
MAILS = ("sent", "delayed", "failed", "unsure")
REMEDIES = ("seek", "rejoin", "restart")
REASONS = ("waiting", "behind", "retry", "unrun", "queued", "paused")
TIMES: Mapping[type[events.InstrumentationEvent], tuple[str, str]] = {
    events.BatchFenced: ("oyez_fenced_batches", "Batches rolled back: another worker had moved a position."),
    events.BatchCut: ("oyez_cut_batches", "Batches whose time was up."),
    events.HandlersFoundBroken: (
        "oyez_broken_batches",
        "Batches not committed: nearly all deliveries failed alike.",
    ),
    events.EventKilledWorkers: (
        "oyez_poison_events",
        "Events given up: workers died when they ran them alone.",
    ),
    events.DatabaseClockLeapt: ("oyez_database_clock_leaps", "Times at which the database's clock leapt."),
    events.PartitionHalted: ("oyez_halted_partitions", "Partitions that workers ceased to read."),
    events.MailServerLost: (
        "oyez_mail_server_losses",
        "Times at which the mail server could not be reached.",
    ),
    events.DatabaseLost: ("oyez_database_losses", "Times at which the database was lost."),
    events.WorkerDied: ("oyez_worker_deaths", "Processes that ended and should not have."),
}
SHARE = 0.01  # of a worker's time, at most, for asking what only a metric needs


def _counter(name: str, text: str, *labels: str) -> Counter:
    return Counter(name, text, ("group", *labels), registry=None)


def _gauge(name: str, text: str, mode: str, *labels: str) -> Gauge:
    return Gauge(name, text, ("group", *labels), registry=None, multiprocess_mode=mode)  # type: ignore[arg-type]


def _histogram(name: str, text: str, buckets: tuple[float, ...]) -> Histogram:
    return Histogram(name, text, ("group",), registry=None, buckets=buckets)


class Metrics:
    """What one process has counted. They are in no registry: the files are read by whoever answers a scrape."""

    def __init__(self, timer: Callable[[], float] = time.monotonic, unit: Unit = "records") -> None:
        """``unit`` is what the offsets of the log count."""
        self._timer = timer
        self._unit = unit
        self._ask_at: dict[tuple[str, str], float] = {}
        self._connected: dict[str, bool] = {}
        self._lagging: dict[str, set[tuple[str, str, int]]] = {}
        self._define_counters()
        self._define_gauges()
        self._sizes = _histogram("oyez_batch_events", "Events of a batch.", SIZES)
        self._seconds = _histogram("oyez_batch_seconds", "From a batch's decoding to its commit.", SECONDS)
        self._delays = _histogram(
            "oyez_release_delay_seconds", "From a parked delivery being due to it being run.", DELAYS
        )

    def _define_counters(self) -> None:
        self._handled = _counter("oyez_handled_deliveries", "Deliveries that are done.")
        self._parked = _counter("oyez_parked_deliveries", "Deliveries that were parked, again too.", "reason")
        self._released = _counter(
            "oyez_released_deliveries", "Deliveries of the group that another released."
        )
        self._dead = _counter("oyez_dead_deliveries", "Deliveries that became dead letters.")
        self._expired = _counter(
            "oyez_expired_deliveries", "Deliveries that ended without a run: their events had expired."
        )
        self._failures = _counter("oyez_handler_failures", "Attempts that a handler failed.", "handler")
        self._timeouts = _counter(
            "oyez_handler_timeouts", "Attempts that took longer than the handler's timeout.", "handler"
        )
        self._mails = _counter(
            "oyez_mails", "Urgent mails that the group's workers have sent, or not.", "outcome"
        )
        self._misplaced = _counter(
            "oyez_misplaced_events",
            "Events, of the few that are looked at, in another partition than their key's.",
        )
        self._stalls = _counter(
            "oyez_partition_stalls", "Times at which nothing came of what the log had.", "remedy"
        )
        self._times: Mapping[type[events.InstrumentationEvent], Counter] = {
            kind: _counter(name, text) for kind, (name, text) in TIMES.items()
        }

    def _define_gauges(self) -> None:
        self._workers = _gauge("oyez_workers", "Workers that run.", "livesum")
        self._reaching = _gauge(
            "oyez_workers_connected", "Workers whose last try reached the database.", "livesum"
        )
        self._joined = _gauge(
            "oyez_workers_joined", "Workers that know which part of the log is theirs.", "livesum"
        )
        place = ("livemostrecent", "topic", "partition")
        self._lag_records = _gauge("oyez_lag_records", "Records left to read.", *place)
        self._lag_bytes = _gauge("oyez_lag_bytes", "Bytes of spools left to read.", *place)
        self._running = _gauge("oyez_lanes_running", "Lanes that run something.", "livesum", "handler")
        self._hanging = _gauge(
            "oyez_lanes_hanging", "Calls that took too long and have not returned.", "livesum", "handler"
        )
        self._skew = _gauge(
            "oyez_clock_skew_seconds", "This machine's clock ahead of the database's.", "livemostrecent"
        )
        self._paused = _gauge(
            "oyez_pauses", "Pauses of the group, its handlers or keys that hold.", "livemostrecent"
        )
        self._oldest = _gauge(
            "oyez_oldest_wait_seconds", "Since the oldest parked delivery was parked.", "livemostrecent"
        )
        self._waiting = _gauge("oyez_outbox_events", "Events that wait in the outbox.", "livemostrecent")
        self._stays = _gauge(
            "oyez_outbox_oldest_seconds", "Since the oldest of them was announced.", "livemostrecent"
        )
        self._refused = _gauge(
            "oyez_outbox_refused_events", "Events of the outbox that are quarantined.", "livemostrecent"
        )
        self._scheduled = _gauge("oyez_scheduled_events", "Events that are scheduled.", "livemostrecent")
        self._overdue = _gauge(
            "oyez_scheduled_overdue_seconds", "Since the first scheduled event was due.", "livemostrecent"
        )

    def receive(self, event: events.InstrumentationEvent) -> None:
        group = event.group
        if type(event) in self._times:
            self._times[type(event)].labels(group).inc()
        self._count_others(event)
        self._set_gauges(group, event)
        self._follow_log(event)
        match event:
            case events.BatchHandled():
                self._sizes.labels(group).observe(event.size)
                self._seconds.labels(group).observe(event.seconds)
                self._count(group, event.report)
            case events.RowsRun():
                self._count(group, event.report)
            case events.WorkerStarted():
                self._begin(group, event.handlers)

    def _set_gauges(self, group: str, event: events.InstrumentationEvent) -> None:
        match event:
            case events.Swept():
                self._set_connected(group, connected=True)
                self._ask(group, "parked", event.oldest_wait, self._oldest.labels(group).set)
                self._ask(group, "outbox", event.leaving, partial(self._set_leaving, group))
            case events.Lagging():
                self._set_lags(group, event.lags)
            case events.LanesSeen():
                self._running.labels(group, event.handler).set(event.running)
                self._hanging.labels(group, event.handler).set(event.hanging)
            case events.ClockCompared():
                self._skew.labels(group).set(event.seconds)
            case events.WorkerStopped() | events.WorkerFailed() | events.WorkerMoves():
                self._workers.labels(group).set(0)
                self._joined.labels(group).set(0)
                self._set_connected(group, connected=False)
                self._set_lags(group, {})
            case events.PartsPaused():
                self._paused.labels(group).set(event.pauses)
            case events.NothingPaused():
                self._paused.labels(group).set(0)
            case events.DatabaseLost():
                self._set_connected(group, connected=False)
            case events.DatabaseBack():
                self._set_connected(group, connected=True)

    def _begin(self, group: str, handlers: tuple[str, ...]) -> None:
        """Every metric of the group is there from the start: a rate needs a zero to begin with."""
        for counter in (
            self._handled,
            self._released,
            self._dead,
            self._expired,
            self._misplaced,
            *self._times.values(),
        ):
            counter.labels(group)
        for handler in handlers:
            self._failures.labels(group, handler)
            self._timeouts.labels(group, handler)
        for reason in REASONS:
            self._parked.labels(group, reason)
        for outcome in MAILS:
            self._mails.labels(group, outcome)
        for remedy in REMEDIES:
            self._stalls.labels(group, remedy)
        for histogram in (self._sizes, self._seconds, self._delays):
            histogram.labels(group)
        self._workers.labels(group).set(1)
        self._paused.labels(group).set(0)
        self._joined.labels(group).set(0)
        self._set_connected(group, connected=False)

    def _count(self, group: str, report: Report) -> None:
        self._handled.labels(group).inc(report.done)
        self._dead.labels(group).inc(report.dead)
        self._expired.labels(group).inc(report.expired)
        parked = (report.waiting, report.behind, report.retried, report.unrun, report.queued, report.paused)
        for reason, count in zip(REASONS, parked, strict=True):
            if count:
                self._parked.labels(group, reason).inc(count)
        for released, count in Count(report.released).items():
            self._released.labels(released).inc(count)
        for handler, count in report.failures.items():
            self._failures.labels(group, handler).inc(count)
        for handler, count in report.faults.count(TimedOut.__name__).items():
            self._timeouts.labels(group, handler).inc(count)
        for delay in report.delays:
            self._delays.labels(group).observe(delay)

    def _count_others(self, event: events.InstrumentationEvent) -> None:
        if isinstance(event, events.EventsMisplaced):
            self._misplaced.labels(event.group).inc(event.count)
        if isinstance(event, events.MailsSent):
            for outcome in MAILS:
                self._mails.labels(event.group, outcome).inc(getattr(event, outcome))

    def _follow_log(self, event: events.InstrumentationEvent) -> None:
        match event:
            case events.LogJoined():
                self._joined.labels(event.group).set(1)
            case events.PartitionStalled():
                self._stalls.labels(event.group, event.remedy).inc()

    def _set_connected(self, group: str, *, connected: bool) -> None:
        if self._connected.get(group) is not connected:
            self._connected[group] = connected
            self._reaching.labels(group).set(connected)

    def _set_lags(self, group: str, lags: Mapping[tuple[str, int], int]) -> None:
        """A partition that the worker has lost is nobody's until another says how far it is: not a number."""
        gauge = self._lag_bytes if self._unit == "bytes" else self._lag_records
        held = {(group, topic, number) for topic, number in lags}
        for (topic, number), lag in lags.items():
            gauge.labels(group, topic, number).set(lag)
        for lost in self._lagging.get(group, set()) - held:
            gauge.labels(*lost).set(math.nan)
        self._lagging[group] = held

    def _set_leaving(self, group: str, seen: Leaving) -> None:
        gauges = (self._waiting, self._stays, self._refused, self._scheduled, self._overdue)
        for gauge, value in zip(gauges, seen, strict=True):
            gauge.labels(group).set(value)

    def _ask(self, group: str, what: str, question: Callable[[], T], put: Callable[[T], None]) -> None:
        """The question reads much of a table, such as all that is parked for the group; it is asked the more seldom the
        longer it takes."""
        begun = self._timer()
        if begun < self._ask_at.get((group, what), begun):
            return
        try:
            put(question())
        except DatabaseAway:
            return  # the worker will find out for itself
        ended = self._timer()
        self._ask_at[group, what] = ended + (ended - begun) / SHARE
