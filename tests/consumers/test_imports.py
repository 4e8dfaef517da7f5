"""What is loaded by whoever only registers handlers: a web process does that, and starts no worker."""

from __future__ import annotations

import subprocess
import sys
from textwrap import dedent

import pytest

import oyez.consumers

HEAVY = (
    "confluent_kafka",
    "sqlalchemy",
    "sqlalchemy.orm",
    "pydantic_settings",
    "alembic",
    "typer",
    "rich",
    "prometheus_client",
)

REGISTERING = """
import oyez.consumers
from oyez.consumers import Application, Handlers, NotReady, Reject, Tool
from oyez.schemas import Event, Signal

class Placed(Signal, name="placed", key="k", subject="k"):
    k: str

on = Handlers("shop")

@on(Placed)
def one(event: Placed) -> None: ...

@on(Placed, group="placed")
def many(events: list[Event[Placed]]) -> None: ...

class Ledger(Tool):
    def book(self) -> None: ...

@on(Placed, group="placed")
def booked(event: Placed, ledger: Ledger) -> None: ...

@on.met_by(Placed)
def placed(db, subjects): return ()

Application(on)
"""


def loaded_after(code: str, *of: str) -> list[str]:
    """Which of these modules, or else of the heavy ones, a process has loaded that has run this."""
    said = f"{dedent(code)}\nimport sys\nprint(*(name for name in {of or HEAVY!r} if name in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", said], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize("code", ["import oyez.consumers", REGISTERING])
def test_whoever_only_registers_handlers_loads_nothing_heavy(code: str) -> None:
    assert loaded_after(code) == []


def test_what_is_not_used_is_not_loaded() -> None:
    assert loaded_after("import oyez.consumers", "pydantic", "importlib.metadata", "oyez.schemas") == []


def test_settings_and_tools_need_no_client_of_kafka() -> None:
    code = "from oyez.consumers import HandlerAnnouncer, ListenSettings, Mail, listen, load_application"
    assert not {"confluent_kafka", "alembic", "typer", "rich"} & set(loaded_after(code))


def test_all_that_is_public_is_there() -> None:
    assert [name for name in oyez.consumers.__all__ if not hasattr(oyez.consumers, name)] == []
    assert set(oyez.consumers.__all__) <= set(dir(oyez.consumers))


def test_a_name_that_is_not_there_is_none() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Handlerz'"):
        oyez.consumers.Handlerz  # noqa: B018
