"""What is counted, and what is withdrawn."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from oyez.consumers.core.leaving import Leaving
from oyez.consumers.core.report import Report
from oyez.consumers.database import DatabaseAway
from oyez.consumers.health.beat import born_at
from oyez.consumers.health.pulse import WorkerPulse
from oyez.consumers.health.writing import File
from oyez.consumers.instrumentation import events
from oyez.consumers.metrics.endpoint import Answers, Files
from oyez.consumers.metrics.multiprocess_files import Folder
from oyez.consumers.metrics.prometheus import Metrics


def exported(place: Folder, name: str) -> dict[tuple[str, ...], float]:
    """Samples of a measure, by the values of their labels in the order of the labels' names."""
    return {
        tuple(value for _, value in sorted(sample.labels.items())): sample.value
        for metric in Files(place.path).collect()
        for sample in metric.samples
        if sample.name == name
    }


def as_spec(place: Folder, number: int) -> Metrics:
    """The metrics of another worker: its files, in this process."""
    place.identity.become(number)
    return Metrics()


def test_a_report_is_counted(place: Folder) -> None:
    metrics = Metrics()
    counts = {"done": 7, "waiting": 1, "behind": 2, "retried": 3, "unrun": 9, "dead": 4}
    report = Report(**counts, released=["a", "b", "b"], failures=Counter({"look": 5}), delays=[0.001, 2.0])
    for _ in range(2):
        metrics.receive(events.BatchHandled("a", 500, 0.2, report))
    assert exported(place, "oyez_handled_deliveries_total") == {("a",): 14}
    assert exported(place, "oyez_parked_deliveries_total") == {
        ("a", "waiting"): 2,
        ("a", "behind"): 4,
        ("a", "retry"): 6,
        ("a", "unrun"): 18,
    }
    assert exported(place, "oyez_dead_deliveries_total") == {("a",): 8}
    assert exported(place, "oyez_released_deliveries_total") == {("a",): 2, ("b",): 4}
    assert exported(place, "oyez_handler_failures_total") == {("a", "look"): 10}
    assert exported(place, "oyez_batch_events_sum") == {("a",): 1000}
    assert exported(place, "oyez_release_delay_seconds_count") == {("a",): 4}


def test_keys_elsewhere_are_counted(place: Folder) -> None:
    metrics = Metrics()
    metrics.receive(events.WorkerStarted("a"))
    assert exported(place, "oyez_misplaced_events_total") == {("a",): 0}
    for count in (3, 4):
        metrics.receive(events.EventsMisplaced("a", count))
    assert exported(place, "oyez_misplaced_events_total") == {("a",): 7}


def test_urgent_mails_are_counted(place: Folder) -> None:
    metrics = Metrics()
    metrics.receive(events.WorkerStarted("a"))
    for _ in range(2):
        metrics.receive(events.MailsSent("a", 4, 3, 2, 1))
    metrics.receive(events.MailServerLost("a", "away"))
    outcomes = {"sent": 8, "delayed": 6, "failed": 4, "unsure": 2}
    assert exported(place, "oyez_mails_total") == {("a", name): count for name, count in outcomes.items()}
    assert exported(place, "oyez_mail_server_losses_total") == {("a",): 1}


def test_stalls_are_counted_by_what_is_done_about_them(place: Folder) -> None:
    metrics = Metrics()
    metrics.receive(events.WorkerStarted("a"))
    for remedy in ("seek", "seek", "rejoin"):
        metrics.receive(events.PartitionStalled("a", "t", 0, 4, 9, remedy))
    expected = {("a", "seek"): 2, ("a", "rejoin"): 1, ("a", "restart"): 0}
    assert exported(place, "oyez_partition_stalls_total") == expected


def test_every_measure_begins_with_a_zero(place: Folder) -> None:
    Metrics().receive(events.WorkerStarted("a"))
    for name in ("handled_deliveries", "dead_deliveries", "worker_deaths", "halted_partitions"):
        assert exported(place, f"oyez_{name}_total") == {("a",): 0}


def test_every_handler_begins_with_a_zero(place: Folder) -> None:
    """A rate has no first failure else."""
    metrics = Metrics()
    metrics.receive(events.WorkerStarted("a", ("look", "mail")))
    zeros = {("a", "look"): 0, ("a", "mail"): 0}
    for name in ("failures", "timeouts"):
        assert exported(place, f"oyez_handler_{name}_total") == zeros


def test_the_lag_of_a_lost_partition_is_withdrawn(place: Folder) -> None:
    metrics = Metrics()
    metrics.receive(events.Lagging("a", {("t", 0): 5, ("t", 1): 6}))
    metrics.receive(events.Lagging("a", {("t", 1): 4}))
    assert exported(place, "oyez_lag_records") == {("a", "1", "t"): 4}
    metrics.receive(events.WorkerStopped("a", 0, 0, 0, 0))
    assert exported(place, "oyez_lag_records") == {}


def test_a_lag_in_bytes_is_no_lag_in_records(place: Folder) -> None:
    metrics = Metrics(unit="bytes")
    metrics.receive(events.Lagging("a", {("t", 0): 5_000, ("t", 1): 6}))
    metrics.receive(events.Lagging("a", {("t", 0): 4_000}))
    assert exported(place, "oyez_lag_bytes") == {("a", "0", "t"): 4_000}
    assert exported(place, "oyez_lag_records") == {}
    metrics.receive(events.WorkerStopped("a", 0, 0, 0, 0))
    assert exported(place, "oyez_lag_bytes") == {}


def test_the_lag_is_that_of_who_said_it_last(place: Folder) -> None:
    first = Metrics()
    first.receive(events.Lagging("a", {("t", 0): 5}))
    second = as_spec(place, 1)
    second.receive(events.Lagging("a", {("t", 0): 3}))
    assert exported(place, "oyez_lag_records") == {("a", "0", "t"): 3}


def test_what_a_dead_worker_said_of_itself_is_forgotten_and_what_it_did_is_not(place: Folder) -> None:
    metrics = as_spec(place, 7)
    metrics.receive(events.WorkerStarted("a"))
    metrics.receive(events.BatchHandled("a", 1, 0.1, Report(done=1)))
    assert exported(place, "oyez_workers") == {("a",): 1}
    place.forget(7)
    assert exported(place, "oyez_workers") == exported(place, "oyez_workers_connected") == {}
    assert exported(place, "oyez_handled_deliveries_total") == {("a",): 1}


def test_a_worker_that_is_started_again_counts_on_in_the_same_files(place: Folder) -> None:
    as_spec(place, 7).receive(events.BatchHandled("a", 1, 0.1, Report(done=1)))
    files = set(place.path.iterdir())
    as_spec(place, 8)
    as_spec(place, 7).receive(events.BatchHandled("a", 1, 0.1, Report(done=1)))
    assert exported(place, "oyez_handled_deliveries_total") == {("a",): 2}
    assert {path for path in place.path.iterdir() if f"{os.getpid()}-7" in path.name} <= files


def test_what_a_worker_forks_writes_files_of_its_own(place: Folder) -> None:
    ours = place.identity()
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(writing, place.identity().encode())
        os._exit(0)
    os.waitpid(pid, 0)
    assert os.read(reading, 100).decode() == str(pid)
    assert place.identity() == ours
    os.close(reading)
    os.close(writing)


class Question:
    """Asks the database, which takes its time."""

    def __init__(self, seconds: float) -> None:
        self.now = 0.0
        self.seconds = seconds
        self.asked = 0
        self.answer: Callable[[], float] = lambda: 3.0

    def timer(self) -> float:
        return self.now

    def __call__(self) -> float:
        self.asked += 1
        self.now += self.seconds
        return self.answer()


@pytest.mark.parametrize(("seconds", "times"), [(0.001, 20), (0.5, 2)])
def test_the_oldest_wait_takes_a_hundredth_of_the_time_at_most(
    place: Folder, seconds: float, times: int
) -> None:
    question = Question(seconds)
    metrics = Metrics(question.timer)
    for _ in range(20):  # 100 s
        metrics.receive(events.Swept("a", question, nothing))
        question.now += 5.0
    assert question.asked == times
    assert exported(place, "oyez_oldest_wait_seconds") == {("a",): 3.0}


def nothing() -> Leaving:
    return Leaving(0, 0.0, 0, 0, 0.0)


def away() -> NoReturn:
    raise DatabaseAway("as told")


def test_what_has_not_left_is_measured_and_so_is_that_nothing_is_left(place: Folder) -> None:
    metrics = Metrics(lambda: 0.0)
    metrics.receive(events.Swept("a", lambda: 0.0, lambda: Leaving(3, 400.0, 1, 5, 60.0)))
    names = (
        "outbox_events",
        "outbox_oldest_seconds",
        "outbox_refused_events",
        "scheduled_events",
        "scheduled_overdue_seconds",
    )
    assert [exported(place, f"oyez_{name}")["a",] for name in names] == [3, 400, 1, 5, 60]
    metrics.receive(events.Swept("a", lambda: 0.0, nothing))
    assert [exported(place, f"oyez_{name}")["a",] for name in names] == [0, 0, 0, 0, 0]


@pytest.mark.parametrize(("seconds", "times"), [(0.001, 20), (0.5, 2)])
def test_what_has_not_left_is_asked_for_in_a_hundredth_of_the_time_of_its_own(
    place: Folder, seconds: float, times: int
) -> None:
    question, quick = Question(seconds), Question(0.0)

    def leaving() -> Leaving:
        question()
        return nothing()

    metrics = Metrics(question.timer)
    for _ in range(20):  # 100 s
        metrics.receive(events.Swept("a", quick, leaving))
        question.now += 5.0
    assert (question.asked, quick.asked) == (times, 20)


def test_a_question_that_finds_no_database_is_no_error(place: Folder) -> None:
    Metrics().receive(events.Swept("a", away, away))
    assert exported(place, "oyez_workers_connected") == {("a",): 1}


def test_ready_when_every_worker_gets_on_and_alive_while_none_is_stuck(place: Folder, tmp_path: Path) -> None:
    heartbeats = tmp_path / "heartbeats"
    heartbeats.mkdir()
    answers = Answers(place.path, heartbeats, lambda: True)
    files = {name: File(str(heartbeats / number)) for number, name in (("0", "a[0]"), ("1", "b[0]"))}
    pulses = {name: WorkerPulse(name, 60.0) for name in files}

    def said() -> list[tuple[int, str]]:
        for name, file in files.items():
            file.write(pulses[name].beat(os.getpid(), born_at(os.getpid())))
        found = [answers.to(path, "") for path in ("/livez", "/readyz")]
        return [(one.status, one.body.decode()) for one in found]

    def tell(event: events.InstrumentationEvent) -> None:
        pulses[f"{event.group}[0]"].receive(event)

    alive, ready = (200, "alive\n"), (200, "ready\n")
    assert said() == [alive, (503, "a[0]: it starts (wait a moment)\nb[0]: it starts (wait a moment)\n")]
    tell(events.WorkerStarted("a"))
    tell(events.WorkerStarted("b"))
    joins = "it joins its group (wait a moment)"
    assert said() == [alive, (503, f"a[0]: {joins}\nb[0]: {joins}\n")]
    tell(events.LogJoined("a"))
    tell(events.LogJoined("b"))
    assert said() == [alive, ready]
    tell(events.DatabaseLost("b", "gone"))
    assert said() == [alive, (503, "b[0]: gone\n")]
    tell(events.DatabaseBack("b"))
    tell(events.LogAsked("a", "silent", "the broker has not answered for 16 s", False, ()))
    assert said() == [alive, (503, "a[0]: the broker has not answered for 16 s\n")]
    tell(events.LogAsked("a", "done", "", False, ("t partition 0 is not read any more",)))
    assert said() == [alive, (503, "a[0]: t partition 0 is not read any more\n")]
    tell(events.LogAsked("a", "outside", "it has no members", False, ()))
    assert said() == [alive, (503, f"a[0]: {joins}: it has no members\n")]
    tell(events.LogAsked("a", "more", "t partition 0", True, ()))
    tell(events.HandlersFoundBroken("b", "60 of 60 failed alike"))
    assert said() == [alive, (503, "b[0]: 60 of 60 failed alike\n")]
    tell(events.HandlersRepaired("b"))
    assert said() == [alive, ready]


def test_what_else_is_answered(place: Folder) -> None:
    living = [True]
    answers = Answers(place.path, place.path, lambda: living[0])
    assert answers.to("/healthz", "").status == 200
    living[0] = False
    assert answers.to("/healthz", "").status == 503
    assert answers.to("/", "").status == 404
    assert answers.to("/metrics", "").kind.startswith("text/plain")
    assert answers.to("/metrics", "application/openmetrics-text").kind.startswith("application/openmetrics")


def test_a_file_that_is_just_being_made_is_read_a_moment_later(place: Folder) -> None:
    Metrics().receive(events.BatchHandled("a", 1, 0.1, Report(done=1)))
    unmade = place.path / "counter_new.db"
    unmade.touch()
    assert [metric.name for metric in Files(place.path, lambda _: unmade.unlink()).collect()]
    unmade.touch()
    answer = Answers(place.path, place.path, lambda: True).to("/metrics", "")
    assert (answer.status, answer.body[:13]) == (500, b"error: unpack")
