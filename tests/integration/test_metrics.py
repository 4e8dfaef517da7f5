"""What `oyez listen --metrics` answers, over real services and processes."""

from __future__ import annotations

import re
import signal
import urllib.error
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import pytest
from prometheus_client import Metric
from sqlalchemy import func, select

from integration.deployment import Deployment
from integration.shop import Started, Viewed
from oyez.consumers.database.tables import dead
from oyez.consumers.dev import Postgres
from support.processes import Program, is_alive
from support.scraping import Endpoint, documented
from support.services import UNSAFE, fresh_database
from support.waiting import eventually


@pytest.fixture
def deployment(postgres: str, kafka: str, topic: str, tmp_path: Path) -> Iterator[Deployment]:
    """The shop on PostgreSQL."""
    made = Deployment(postgres, kafka, topic, tmp_path)
    yield made
    made.close()


def started(program: Program) -> list[int]:
    """The ids of the worker processes, in the order of their start."""
    return [int(pid) for pid in re.findall(r"(\d+) oyez\.worker \S+ worker started", program.output())]


def test_numbers_are_those_of_what_was_done(deployment: Deployment) -> None:
    program = deployment.run("measured", deployment.app, "1", metrics=0, sweep_every=0.2)
    at = Endpoint(program)
    views, starts = f"{deployment.app}.page.viewed", f"{deployment.app}.session.started"
    eventually(lambda: at.ready() == 200, 60)
    deployment.say(*[Viewed(session_id="s1", n=n) for n in range(3)])
    eventually(lambda: (at.value("oyez_oldest_wait_seconds", views) or 0) > 0, 60)
    assert at.values("oyez_parked_deliveries_total", views) == {
        ("waiting",): 1,
        ("behind",): 2,
        ("retry",): 0,
        ("unrun",): 0,
        ("queued",): 0,
        ("paused",): 0,
    }
    deployment.say(Started(session_id="s1"), Started(session_id="s2"), Started(session_id="s3"))
    eventually(lambda: at.value("oyez_handled_deliveries_total", views) == 3, 60)
    assert at.value("oyez_handled_deliveries_total", starts) == 3
    eventually(lambda: at.value("oyez_released_deliveries_total", views) == 1, 60)
    assert at.value("oyez_release_delay_seconds_count", views) == 1
    assert at.value("oyez_batch_events_sum", views) == 3
    eventually(lambda: at.value("oyez_oldest_wait_seconds", views) == 0, 60)
    deployment.say(Viewed(session_id="s2", n=-1), Viewed(session_id="s3", n=13))
    eventually(lambda: at.value("oyez_dead_deliveries_total", views) == 1, 60)
    with deployment.engine.connect() as db:
        assert db.execute(select(func.count()).select_from(dead)).scalar() == 1
    eventually(lambda: at.values("oyez_handler_failures_total", views).get(("look",), 0) >= 3, 60)
    retried = at.values("oyez_parked_deliveries_total", views)["retry",]
    assert at.values("oyez_handler_failures_total", views)["look",] - 1 in (retried, retried + 1)
    eventually(lambda: set(at.values("oyez_lag_records", views).values()) == {0.0}, 60)
    assert len(at.values("oyez_lag_records", views)) == 4
    assert program.stop() == 0, program.output()


def test_the_document_has_every_measure_and_no_other(deployment: Deployment) -> None:
    program = deployment.run("measured", deployment.app, "1", metrics=0, sweep_every=0.2)
    at = Endpoint(program)
    views = f"{deployment.app}.page.viewed"
    deployment.say(Started(session_id="s"), Viewed(session_id="s", n=13))
    eventually(lambda: at.values("oyez_handler_failures_total", views), 60)
    eventually(lambda: at.values("oyez_lag_records", views), 60)
    eventually(lambda: at.values("oyez_oldest_wait_seconds", views), 60)
    eventually(lambda: at.values("oyez_scheduled_overdue_seconds", views), 60)
    eventually(lambda: at.values("oyez_handler_timeouts_total", f"{deployment.app}.lanes"), 60)
    eventually(lambda: at.values("oyez_lanes_running", f"{deployment.app}.lanes"), 60)
    exported = {
        (_full(family), family.type, frozenset(sample.labels) - {"group", "le"})
        for family in at.families().values()
        for sample in family.samples
    }
    of_spools = {("oyez_lag_bytes", "gauge", frozenset({"topic", "partition"}))}
    assert of_spools <= documented("metrics")
    assert exported == documented("metrics") - of_spools
    openmetrics = at.get("/metrics", "application/openmetrics-text; version=1.0.0")
    assert openmetrics.kind.startswith("application/openmetrics-text")
    assert openmetrics.text.endswith("# EOF\n")
    assert program.stop() == 0


def _full(family: Metric) -> str:
    return f"{family.name}_total" if family.type == "counter" else family.name


def test_ready_only_while_the_database_answers(kafka: str, topic: str, tmp_path: Path) -> None:
    with (
        Postgres(settings=UNSAFE) as server,
        fresh_database(server.url()) as url,
        closing(Deployment(url, kafka, topic, tmp_path)) as deployment,
    ):
        program = deployment.listen(1, "session.started", metrics=0, sweep_every=0.2)
        at = Endpoint(program)
        eventually(lambda: at.ready() == 200, 60)
        server.kill()
        eventually(lambda: at.ready() == 503, 60)
        lost = f"{deployment.app}.session.started[0]: the database does not answer"
        eventually(lambda: at.get("/readyz").text.startswith(lost))
        assert (at.get("/livez").status, at.get("/healthz").status) == (200, 200)
        server.restart()
        deployment.engine.dispose()
        eventually(lambda: at.ready() == 200, 60)
        assert at.value("oyez_database_losses_total", f"{deployment.app}.session.started") == 1
        assert program.stop() == 0, program.output()
        assert program.output().count("waiting for it") == 1, program.output()
        assert program.output().count("answers again") == 1, program.output()


def test_a_worker_that_was_killed_is_not_counted(deployment: Deployment) -> None:
    group = f"{deployment.app}.session.started"
    program = deployment.listen(1, "session.started", metrics=0, sweep_every=0.2)
    at = Endpoint(program)
    eventually(lambda: at.ready() == 200, 60)
    deployment.say(Started(session_id="s1"))
    eventually(lambda: at.value("oyez_handled_deliveries_total", group) == 1, 60)
    for killed in range(1, 3):
        eventually(lambda killed=killed: len(started(program)) == killed and at.ready() == 200, 60)
        eventually(lambda: len(at.values("oyez_lag_records", group)) == 4, 60)
        psutil.Process(started(program)[-1]).kill()
        eventually(
            lambda: at.get("/readyz").text.startswith(f"{group}[0]: it ended with signal SIGKILL; it is")
        )
        assert at.get("/livez").text == "alive\n"
        assert at.values("oyez_lag_records", group) == {}
    deployment.say(Started(session_id="s2"))
    eventually(lambda: at.value("oyez_handled_deliveries_total", group) == 2, 60)
    assert at.value("oyez_workers", group) == 1
    assert at.value("oyez_worker_deaths_total", group) == 2
    assert program.stop() == 0


def test_the_lag_of_a_partition_is_said_by_one(deployment: Deployment) -> None:
    group = f"{deployment.app}.session.started"
    program = deployment.listen(2, "session.started", metrics=0)
    at = Endpoint(program)
    eventually(lambda: len(at.values("oyez_lag_records", group)) == 4 and at.ready() == 200, 60)
    psutil.Process(started(program)[0]).kill()
    eventually(lambda: len(at.values("oyez_lag_records", group)) == 4, 60)
    eventually(lambda: at.value("oyez_workers", group) == 2, 60)
    deployment.say(*[Started(session_id=f"s{n}") for n in range(20)])
    eventually(lambda: at.value("oyez_handled_deliveries_total", group) == 20, 60)
    eventually(lambda: sorted(at.values("oyez_lag_records", group).values()) == [0.0] * 4, 60)
    assert program.stop() == 0


def test_the_endpoint_ends_with_its_supervisor(deployment: Deployment) -> None:
    program = deployment.listen(1, "session.started", metrics=0)
    at = Endpoint(program)
    eventually(lambda: at.ready() == 200, 60)
    children = program.children()
    psutil.Process(started(program)[0]).suspend()
    program.send(signal.SIGKILL)
    program.wait()

    def is_gone() -> bool:
        try:
            at.get("/healthz")
        except (urllib.error.URLError, ConnectionError):
            return True
        return False

    eventually(is_gone)
    for child in children:
        if child.is_running():
            child.kill()


def test_the_endpoint_answers_until_the_last_worker_has_stopped(deployment: Deployment) -> None:
    program = deployment.listen(2, "session.started", metrics=0)
    at = Endpoint(program)
    eventually(lambda: at.value("oyez_workers", f"{deployment.app}.session.started") == 2, 60)
    frozen, other = map(psutil.Process, started(program))
    frozen.suspend()
    program.send(signal.SIGTERM)
    eventually(lambda: not is_alive(other))
    assert [at.get("/healthz").status for _ in range(10)] == [200] * 10
    frozen.resume()
    assert program.wait() == 0, program.output()


def test_the_files_are_gone_at_the_end_and_no_more_with_each_start(
    deployment: Deployment, tmp_path: Path
) -> None:
    program = deployment.run("listener", deployment.app, "1", f"{deployment.app}.session.started", metrics=0)
    at = Endpoint(program)
    eventually(lambda: at.ready() == 200, 60)
    (folder,) = {Path(one.path).parent for one in _maps(program) if "oyez-metrics-" in one.path}
    before = sorted(folder.iterdir())
    psutil.Process(started(program)[0]).kill()
    eventually(lambda: len(started(program)) == 2 and at.ready() == 200, 60)
    assert len(sorted(folder.iterdir())) <= len(before) + 1, "the supervisor's own, for the death"
    assert program.stop() == 0
    assert not folder.exists()


def _maps(program: Program) -> list[Any]:
    maps: list[Any] = psutil.Process(started(program)[0]).memory_maps()
    return maps
