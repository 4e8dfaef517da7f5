"""The visitor session travels with a task through a real worker, in each of its pools."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from celery import chain, group

from oyez.producers import visitor_session
from producers.tasks import noting
from producers.tasks.files import queue_in
from support.otlp import receiving
from support.pages import plain_environment, shell
from support.processes import ROOT
from support.spans import recording
from support.spooled import spooled
from support.waiting import eventually

POOLS = {
    "prefork": ["--concurrency=2", "--max-tasks-per-child=4"],
    "threads": ["--concurrency=2"],
    "solo": [],
}


@pytest.fixture(scope="module")
def queue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The application's queue: one for all tests, since Celery keeps the connection to it."""
    folder = tmp_path_factory.mktemp("queue")
    noting.app.conf.broker_transport_options = queue_in(str(folder))
    return folder


@pytest.fixture
def at_once() -> Iterator[None]:
    """Tasks run where they are called."""
    noting.app.conf.task_always_eager = True
    yield
    noting.app.conf.task_always_eager = False


def worker(
    folder: Path, pool: str, queue: Path, module: str = "noting", **settings: str
) -> AbstractContextManager[Path]:
    """A worker, which is told to stop in the end, and does."""
    options = " ".join([*POOLS[pool], "--without-mingle", "--without-gossip", "--without-heartbeat"])
    where = {"PYTHONPATH": str(ROOT), "CELERY_QUEUE": str(queue), "OYEZ_SPOOL": str(folder / "spool")}
    where |= settings
    return shell(f"exec celery -A producers.tasks.{module} worker -P {pool} {options}", folder, where)


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("OYEZ_TRANSPORT", "pigeon", "oyez: transport 'pigeon' (OYEZ_TRANSPORT) is unknown; known: "),
        ("OYEZ_FLUSH_TIMEOUT", "soon", "oyez: settings: flush_timeout: "),
        ("OYEZ_TRANSPORT", "inline", "oyez: no application: "),
    ],
)
def test_a_worker_with_a_wrong_setting_does_not_start(
    variable: str, value: str, said: str, queue: Path, tmp_path: Path
) -> None:
    where = {
        "PYTHONPATH": str(ROOT),
        "CELERY_QUEUE": str(queue),
        variable: value,
    }
    ended = subprocess.run(
        ["celery", "-A", "producers.tasks.noting", "worker", "--concurrency=1"],
        cwd=tmp_path,
        env=plain_environment(**where),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.splitlines()[-1].startswith(said)
    assert "Traceback" not in ended.stderr


def noted(folder: Path) -> list[tuple[str, str | None]]:
    events = spooled(folder / "spool").values()
    return sorted(((one["data"]["what"], one.get("partitionkey")) for one in events), key=str)


@pytest.mark.parametrize("pool", POOLS)
def test_a_task_has_the_key_of_whoever_published_it(queue: Path, pool: str, tmp_path: Path) -> None:
    note, fail = noting.note, noting.fail
    with worker(tmp_path, pool, queue):
        for key in ("a", "b", None):
            with visitor_session(key):
                note.delay(f"{key} alone")
                chain(note.si(f"{key} first"), note.si(f"{key} second"), note.si(f"{key} third")).delay()
                group(note.si(f"{key} one"), note.si(f"{key} other")).delay()
                fail.apply_async([f"{key} fails"], link_error=note.si(f"{key} mended"))
                noting.try_again.delay(f"{key} tried")
                noting.publish.delay(f"{key} published")
        names = ["alone", "first", "second", "third", "one", "other", "fails", "mended"]
        names += ["tried 0", "tried 1", "tried 2", "published outer"]
        expected = [(f"{key} {name}", key) for key in ("a", "b", None) for name in names]
        expected += [(f"{key} published inner", "inner") for key in ("a", "b", None)]
        eventually(lambda: len(noted(tmp_path)) >= len(expected))
    assert noted(tmp_path) == sorted(expected, key=str)


@pytest.mark.usefixtures("at_once")
def test_a_task_that_runs_at_once_has_its_callers_key(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(noting.oyez, "_announcer", lambda: Noting(seen))
    with visitor_session("a"):
        noting.note.delay("eager")
        noting.note("called")
        chain(noting.note.si("first"), noting.note.si("second")).delay()
        with visitor_session("b"):
            noting.note.apply(["other"])
        noting.note.delay("again")
    noting.note.delay("nobody's")
    assert seen == ["a", "a", "a", "a", "b", "a", None]


class Noting:
    """Stands in for an announcer: it notes the key that one would have."""

    def __init__(self, seen: list[Any]) -> None:
        self._seen = seen

    def announce(self, _event: Any) -> None:
        from oyez.producers.session import bound_session

        self._seen.append(bound_session())


@pytest.mark.parametrize("pool", ["prefork", "threads"])
def test_a_task_goes_on_with_the_trace_of_whoever_published_it(
    queue: Path, pool: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    traces: dict[str, str] = {}
    with (
        recording(monkeypatch) as spans,
        receiving() as receiver,
        worker(tmp_path, pool, queue, "traced", SHOP_RECEIVER=receiver.endpoint),
    ):
        for name in ("a", "b"):
            with spans.tracer.start_as_current_span(name) as span:
                traces[name] = f"{span.get_span_context().trace_id:032x}"
                chain(noting.note.si(f"{name} first"), noting.note.si(f"{name} second")).delay()
        noting.note.delay("nobody's")
        eventually(lambda: len(noted(tmp_path)) >= 5)
    found = {
        one["data"]["what"]: one["traceparent"].split("-")[1] for one in spooled(tmp_path / "spool").values()
    }
    assert found.pop("nobody's") not in traces.values()
    assert found == {
        "a first": traces["a"],
        "a second": traces["a"],
        "b first": traces["b"],
        "b second": traces["b"],
    }
    assert len(receiver.named("announce tasks.noted")) == 5  # sent as the processes ended
