"""docs/tracing.md as it is written: one trace over real processes, Kafka and PostgreSQL, at a receiver of OTLP."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from sqlalchemy import create_engine, func, select

from consumers.cli.running import Shop
from oyez.consumers.database.tables import inbox
from support.otlp import Receiver, receiving
from support.tables import knowing_the_tables
from support.waiting import eventually

PAGE = (Path(__file__).parents[2] / "docs" / "tracing.md").read_text()
LOGGING = """
import logging

import logged
from oyez.consumers import Application, Handlers, listen
from oyez.producers import Announcer
from oyez.schemas import Signal

class Opened(Signal, name="shop.opened", key="shop"):
    shop: str

on = Handlers("logging")

@on(Opened)
def opened(event: Opened) -> None:
    logging.getLogger("shop").warning("open")

with Announcer.from_settings() as announcer:
    print(announcer.announce(Opened(shop="s1")))
listen(application=Application(on))
"""


def block(name: str) -> str:
    """What the page shows under this name."""
    found = re.search(rf"<!-- run: {re.escape(name)} -->\n```python\n(.*?)```", PAGE, re.DOTALL)
    assert found, name
    return found[1]


@pytest.fixture
def shop(tmp_path: Path, kafka: str, topic: str, postgres: str) -> Shop:
    (tmp_path / "traced.py").write_text(block("traced.py"))
    settings = {
        "OYEZ_APP": "traced:on",
        "OYEZ_KAFKA": kafka,
        "OYEZ_TOPIC": topic,
        "OYEZ_DATABASE": postgres,
        "OYEZ_SWEEP_EVERY": "0.2",
        "OTEL_BSP_SCHEDULE_DELAY": "600000",  # what arrives was sent because its process ended
    }
    return Shop(tmp_path, settings)


def parent(span: Span, receiver: Receiver) -> str | None:
    """The name of its parent, of the same trace."""
    found = [one.name for one in receiver.spans if one.span_id == span.parent_span_id]
    return found[0] if found else None


def test_one_trace_over_all_processes(shop: Shop) -> None:
    with receiving() as receiver:
        shop = Shop(shop.folder, {**shop.settings, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": receiver.endpoint})
        shop.print("db", "upgrade")
        shop.print("announce", "shop.visited", "-d", '{"shop": "s1"}')
        with shop.running("listen") as running:
            eventually(lambda: '"waiting": 1' in shop.print("status", "--json"), 60)
            shop.print("announce", "shop.opened", "-d", '{"shop": "s1"}')
            eventually(lambda: not parked(shop), 60)
            eventually(lambda: handled_of(shop, "shop.greeted") == 1, 60)
            assert running.end(signal.SIGTERM) == 0, running.said()
        eventually(lambda: len(receiver.named("process shop.greeted")) == 1, 30)
        (visited,) = receiver.named("process shop.visited")
        assert parent(visited, receiver) == "announce shop.visited"
        assert [parent(one, receiver) for one in receiver.named("announce shop.greeted")] == [
            "process shop.visited"
        ]
        (greeted,) = receiver.named("process shop.greeted")
        assert parent(greeted, receiver) == "announce shop.greeted"
        assert greeted.trace_id == visited.trace_id
        assert len(receiver.named("release")) == 1


def handled_of(shop: Shop, signal: str) -> int:
    """How many events of a signal its group has handled."""
    engine = knowing_the_tables(create_engine(shop.settings["OYEZ_DATABASE"]))
    query = select(func.count()).where(inbox.c.group_name.endswith(signal))
    with engine.connect() as db:
        found = int(db.execute(query).scalar_one())
    engine.dispose()
    return found


def parked(shop: Shop) -> bool:
    return shop.print("retry", "list", "--json").strip() != "[]"


def test_the_lines_of_the_page_say_which_event_they_are_for(tmp_path: Path) -> None:
    (tmp_path / "logged.py").write_text(block("logged.py"))
    shop = Shop(tmp_path, {"OYEZ_DATABASE": f"sqlite:///{tmp_path}/oyez.db"})
    shop.print("db", "upgrade")
    done = subprocess.run(
        [sys.executable, "-c", LOGGING],
        cwd=tmp_path,
        env=shop.environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert f"open event={done.stdout.strip()} handler=opened trace=None\n" in done.stderr
