"""Where event files are looked for, by whoever loads an application."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from consumers.handler_files.event_folder import Folder
from oyez.consumers import ListenSettings, load_application
from oyez.consumers.database.migrating import upgrade
from oyez.consumers.handler_files import EventFilesBroken, OpenToOthers
from oyez.producers import Announcer

MODULE = """
from oyez.consumers import Handlers
from oyez.schemas import Signal

class ItemSold(Signal, name="fil.item.sold", number=7301):
    n: int

on = Handlers("fil")
"""
EFFECT = """
from pathlib import Path
from {module} import ItemSold
def handle(event: ItemSold) -> None:
    with Path("effects").open("a") as file:
        file.write(f"{{event.n}} {name}\\n")
"""


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Folder]]:
    """Makes an application in the working directory; returns the folder `events` beside its module."""
    for name in [name for name in os.environ if name.startswith("OYEZ_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    before = set(sys.modules)

    def make(module: str = "fil_app") -> Folder:
        file = Path(*module.split(".")).with_suffix(".py")
        file.parent.mkdir(exist_ok=True)
        # Two modules of one process may not declare the same signal.
        file.write_text(
            MODULE if module == "fil_app" else MODULE.replace("fil.item", "fil.box").replace("7301", "7401")
        )
        return Folder(file.parent.absolute() / "events")

    yield make
    for name in set(sys.modules) - before:
        if name.startswith(("fil_", "oyez_events")):
            del sys.modules[name]


def names(path: str, **said: object) -> list[str]:
    return [one.name for one in load_application(ListenSettings(app=path, **said)).handlers]


def test_beside_the_module(app: Callable[..., Folder]) -> None:
    app().write("7301.py")
    assert names("fil_app:on") == ["7301.py"]


def test_beside_the_module_in_its_package(app: Callable[..., Folder]) -> None:
    app("fil_pack.handlers").write("7401.py")
    assert names("fil_pack.handlers:on") == ["7401.py"]


def test_the_folder_that_is_set_instead(
    app: Callable[..., Folder], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app().write("7301.py")
    Folder(tmp_path / "custom").write("7301_other.py")
    assert names("fil_app:on", event_files="custom") == ["7301_other.py"]
    monkeypatch.setenv("OYEZ_EVENT_FILES", str(tmp_path / "custom"))
    assert names("fil_app:on") == ["7301_other.py"]


def test_none_when_the_setting_is_empty_or_the_folder_a_package(app: Callable[..., Folder]) -> None:
    folder = app()
    folder.write("7301.py")
    (folder.path.parent / "fil_app.py").write_text(MODULE + "@on(ItemSold)\ndef sell(sold: ItemSold): ...\n")
    assert names("fil_app:on", event_files="", event_files_strict=True) == ["sell"]
    folder.write("__init__.py", "")
    assert names("fil_app:on") == ["sell"]
    assert names("fil_app:on", event_files="events") == ["sell", "7301.py"]


def test_broken_ones_are_logged_each_with_its_reason(
    app: Callable[..., Folder], caplog: pytest.LogCaptureFixture
) -> None:
    folder = app()
    folder.write("7301.py")
    folder.write("7301-a.py", "1 / 0")
    folder.write("7302.py")
    with caplog.at_level(logging.ERROR, "oyez.eventfiles"):
        assert names("fil_app:on") == ["7301.py"]
    first, second = caplog.messages
    assert "7301-a.py: it cannot be imported: ZeroDivisionError" in first
    assert "7302.py: unknown signal 7302" in second
    with pytest.raises(EventFilesBroken, match=r"7301-a.py.*7302.py"):
        names("fil_app:on", event_files_strict=True)


def test_a_folder_that_others_may_write_to(app: Callable[..., Folder]) -> None:
    folder = app()
    folder.path.chmod(0o777)
    with pytest.raises(OpenToOthers):
        load_application(ListenSettings(app="fil_app:on"))


def test_the_inline_transport_runs_them(
    app: Callable[..., Folder], sqlite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = app()
    for name in ("7301-b.py", "7301-a.py"):
        folder.write(name, EFFECT.format(module="fil_app", name=name))
    engine = create_engine(sqlite)
    upgrade(engine)
    settings = ListenSettings(app="fil_app:on", transport="inline", database=sqlite)
    with Announcer.from_settings(settings) as announcer:
        announcer.announce(7301, {"n": 5})
    assert Path("effects").read_text().splitlines() == ["5 7301-a.py", "5 7301-b.py"]
    with engine.connect() as db:
        recorded = db.execute(text("SELECT handler, group_name FROM oyez_handler ORDER BY handler")).all()
    assert recorded == [("7301-a.py", "fil.fil.item.sold"), ("7301-b.py", "fil.fil.item.sold")]
    engine.dispose()
