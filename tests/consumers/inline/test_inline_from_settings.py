"""Inline that is set up by OYEZ_TRANSPORT and OYEZ_APP."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest
from sqlalchemy import text

from consumers.pipeline import one_line
from oyez.consumers import StartError
from oyez.consumers.database import make_engine
from oyez.consumers.database.migrating import MigrationNeeded, upgrade
from oyez.producers import Announcer, NotAnnounced

MODULE = """
    from sqlalchemy import text
    from sqlalchemy.orm import Session
    from oyez.consumers import Handlers
    from oyez.schemas import Signal

    class Bought(Signal, name="tst.bought"):
        n: int

    on = Handlers("tst")

    @on(Bought{options})
    def buy(event: Bought, db: Session) -> None:
        db.execute(text("INSERT INTO bought VALUES (:n)"), {{"n": event.n}})
"""


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Sets OYEZ_…, with an application module in the working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def set_up(database: str, options: str = "") -> None:
        sys.modules.pop("tst_inline_app", None)
        (tmp_path / "tst_inline_app.py").write_text(dedent(MODULE.format(options=options)))
        for name, value in {
            "TRANSPORT": "inline",
            "APP": "tst_inline_app:on",
            "DATABASE": database,
            "SOURCE": "web",
        }.items():
            monkeypatch.setenv(f"OYEZ_{name}", value)

    yield set_up
    sys.modules.pop("tst_inline_app", None)


def test_from_settings(database: str, environment: Callable[..., None]) -> None:
    environment(database)
    engine = make_engine(database)
    with pytest.raises(MigrationNeeded) as caught:
        Announcer.from_settings()
    one_line(caught.value, "oyez db upgrade")
    upgrade(engine)
    with engine.begin() as db:
        db.execute(text("CREATE TABLE bought (n INTEGER)"))
    with Announcer.from_settings() as announcer:
        announcer.announce("tst.bought", {"n": 3})
        with engine.connect() as db:
            assert list(db.execute(text("SELECT n FROM bought")).scalars()) == [3]
            assert list(db.execute(text("SELECT group_name FROM oyez_handler")).scalars()) == [
                "tst.tst.bought"
            ]

    environment(database, options=', group="moved"')
    with pytest.raises(StartError) as moved:
        Announcer.from_settings()
    one_line(moved.value, "oyez group rename tst.tst.bought tst.moved")
    engine.dispose()


def test_from_settings_while_the_database_is_away(environment: Callable[..., None]) -> None:
    environment("sqlite:////no/such/folder/oyez.db")
    with Announcer.from_settings() as announcer, pytest.raises(NotAnnounced, match="unable to open"):
        announcer.announce("tst.bought", {"n": 3})


def test_from_settings_without_an_application(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OYEZ_APP", raising=False)
    monkeypatch.setenv("OYEZ_TRANSPORT", "inline")
    with pytest.raises(Exception, match="no application") as caught:
        Announcer.from_settings()
    one_line(caught.value, "OYEZ_APP")


def test_settings_of_listeners_count(
    sqlite: str, environment: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """OYEZ_MAX_ATTEMPTS is none of the announcers' own; the table `bought` is missing."""
    environment(sqlite)
    engine = make_engine(sqlite)
    upgrade(engine)
    monkeypatch.setenv("OYEZ_MAX_ATTEMPTS", "1")
    with Announcer.from_settings() as announcer:
        announcer.announce("tst.bought", {"n": 3})
    with engine.connect() as db:
        assert list(db.execute(text("SELECT reason FROM oyez_dead")).scalars()) == ["failed 1 time"]
    engine.dispose()
