"""Event files that cannot run: each is named with the reason, and the others run."""

from __future__ import annotations

import importlib.util
import marshal
import py_compile
from pathlib import Path

import pytest

from consumers.handler_files.event_folder import Folder, ItemNew, Page, both, filed, mode, shop
from consumers.pipeline import one_line
from oyez.consumers import Application, Handlers, StartError, load_event_files
from oyez.consumers.core.stop_signals import Terminated
from oyez.consumers.handler_files import OpenToOthers
from oyez.producers import SettingsError

MUTE = """class Mute(Exception):
    def __repr__(self): raise OSError("no")
    __str__ = __repr__
class Deaf(type):
    def __getattribute__(self, name): raise OSError("no")
"""
"""Ends with what no error is expected from."""


@pytest.mark.parametrize(
    ("name", "text", "parts"),
    [
        ("31.py", "def handle(:", ["cannot be imported", "SyntaxError", "31.py, line 1"]),
        ("31.py", "x = 1\n1 / 0", ["cannot be imported", "ZeroDivisionError", "31.py, line 2"]),
        ("31.py", "import sys\nsys.exit(2)", ["SystemExit: 2", "31.py, line 2"]),
        ("31.py", "import nowhere_to_be_found", ["No module named 'nowhere_to_be_found'", "line 1"]),
        ("31.py", "x = '\0'", ["cannot be imported", "null bytes"]),
        ("31.py", "raise SyntaxError", ["cannot be imported: SyntaxError"]),
        (
            "31.py",
            "import asyncio\nraise asyncio.CancelledError",
            ["cannot be imported: CancelledError", "31.py, line 2"],
        ),
        ("31.py", "import sys\ndel sys.modules[__name__]\n1 / 0", ["ZeroDivisionError", "31.py, line 3"]),
        ("31.py", MUTE + "raise Mute", ["cannot be imported: Mute: (its text cannot be had)"]),
        ("31.py", MUTE + "BATCH = Mute()\ndef handle(event): ...", ["OSError: no", "31.py, line 2"]),
        ("31.py", MUTE + "ORDER = Mute()\ndef handle(event): ...", ["OSError: no", "31.py, line 2"]),
        ("31.py", MUTE + "class handle(metaclass=Deaf): ...", ["OSError: no", "31.py, line 5"]),
        ("31.py", "handle = dict.get", ["cannot be injected"]),
        ("31.py", "", ["defines no handle(event"]),
        ("31.py", "handle = 3", ["cannot be called"]),
        ("31.py", "async def handle(event): yield", ["generator handlers are not supported"]),
        ("31.py", "CONCURRENCY = 0\ndef handle(event): ...", ["concurrency is 0", "from 1 to"]),
        ("31.py", "TIMEOUT = 3\ndef handle(event): ...", ["timeout=", "concurrency="]),
        ("31.py", "def handle(): ...", ["first parameter is the event"]),
        ("31.py", "def handle(event, x): ...", ["parameter x cannot be injected"]),
        ("31.py", "def handle(event: int): ...", ["first parameter is int", "PageViewed"]),
        ("31.py", "ORDER = 'time'\ndef handle(event): ...", ["order is 'time'", "'key' or 'none'"]),
        ("31.py", "RETRY = 30\ndef handle(event): ...", ["retry is 30", "Backoff("]),
        ("31.py", MUTE + "RETRY = Mute()\ndef handle(event): ...", ["OSError: no", "31.py, line 2"]),
        ("31.py", "BATCH = 'no'\ndef handle(event): ...", ["BATCH is 'no'", "True or False"]),
        ("31.py", "COMPLETES = 1\ndef handle(event): ...", ["COMPLETES is 1", "True or False"]),
        ("31.py", "REQUIRES = 'x'\ndef handle(event): ...", ["requires='x'", "dict"]),
        ("31.py", "REQUIRES = {'nothing': 'k'}\ndef handle(event): ...", ["unknown signal 'nothing'"]),
        ("31.py", "REQUIRES = {'page': 'k'}\ndef handle(event): ...", ["no subject"]),
        ("31.py", "GROUP = 3\ndef handle(event): ...", ["group=3 cannot name a group"]),
        ("30.py", "ORDER = 'key'\ndef handle(event): ...", ["order='key'", "declares no key"]),
        ("31 my data.py", "def handle(event): ...", ["unknown signal '31 my data'"]),
        ("31.my data.py", "def handle(event): ...", ["cannot name a handler"]),
        ("4.py", "def handle(event): ...", ["unknown signal 4"]),
        ("3x.py", "def handle(event): ...", ["unknown signal '3x'"]),
        ("pagex.py", "def handle(event): ...", ["unknown signal 'pagex'", "page"]),
        ("pag.viewed.py", "def handle(event): ...", ["unknown signal 'pag.viewed'", "page.viewed"]),
    ],
)
def test_it_is_named_with_the_reason_and_the_others_run(
    folder: Folder, name: str, text: str, parts: list[str]
) -> None:
    folder.write(name, text)
    folder.write("30-sound.py")
    folder.write("31-sound.py")
    loaded = folder.load()
    (broken,) = loaded.broken
    assert broken.file == folder.path / name
    one_line(str(broken), f"{name}: ", *parts)
    assert "oyez_events" not in broken.reason
    assert folder.sound() == ["30-sound.py", "31-sound.py"]
    Application(loaded.handlers, filed)


def test_a_file_of_an_unknown_signal_is_not_run(folder: Folder) -> None:
    folder.write("4.py", "raise SystemExit(3)")
    assert "unknown signal 4" in folder.broken()["4.py"]


@pytest.mark.parametrize("stop", [KeyboardInterrupt, Terminated])
def test_what_ends_the_process_is_no_fault_of_a_file(
    folder: Folder, stop: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A signal may come while a file is run."""
    monkeypatch.setattr("consumers.handler_files.event_folder.stop", stop, raising=False)
    folder.write(
        "31.py",
        "import consumers.handler_files.event_folder\nraise consumers.handler_files.event_folder.stop",
    )
    with pytest.raises(stop):
        folder.load()


def test_a_name_with_control_characters(folder: Folder) -> None:
    """It is shown as a terminal can show it, and not taken for orders to it."""
    folder.write("31\x1b[2J\n.py", "1 / 0")
    (broken,) = folder.load().broken
    assert str(broken).startswith(r"31\x1b[2J\n.py: unknown signal")
    folder.write("31-\x1b[2J\n.py", "1 / 0")
    one_line(str(folder.load().broken[-1]), r"31-\x1b[2J\n.py: ", r"31-\x1b[2J\n.py, line 1")


def test_a_file_that_failed_half_way_is_broken_each_time(folder: Folder) -> None:
    folder.write("31.py", "def handle(event): ...\n1 / 0")
    for _ in range(2):
        assert "ZeroDivisionError" in folder.broken()["31.py"]


def test_a_batch_that_is_annotated_otherwise(folder: Folder) -> None:
    text = (
        "from consumers.handler_files.event_folder import PageViewed\nBATCH = {}\ndef handle(event: {}): ..."
    )
    folder.write("31-a.py", text.format(True, "PageViewed"))
    folder.write("31-b.py", text.format(False, "list[PageViewed]"))
    broken = folder.broken()
    assert "BATCH is True" in broken["31-a.py"]
    assert "BATCH is False" in broken["31-b.py"]


def test_a_file_that_another_depends_on(folder: Folder) -> None:
    """What only a broken file completes nobody can wait for: the other one is broken as well."""
    on = Handlers("shop")
    sound = "COMPLETES = True\ndef handle(event): ..."
    folder.write("2.py", sound)
    folder.write("3.py")
    assert folder.load(on).broken == ()
    folder.write("2.py", "1 / 0")
    reasons = {one.file.name: one.reason for one in folder.load(on).broken}
    assert "ZeroDivisionError" in reasons["2.py"]
    assert "which shop does not handle" in reasons["3.py"]


def test_a_cycle_ends_with_its_last_file(folder: Folder) -> None:
    text = "COMPLETES = True\nREQUIRES = {{'{}': '{}'}}\ndef handle(event): ..."
    folder.write("1.py", text.format("b", "t"))
    folder.write("2.py", text.format("a", "t"))
    loaded = load_event_files(Handlers("shop"), folder.path, both)
    # Without 2.py nobody completes b.
    assert [one.file.name for one in loaded.broken] == ["1.py", "2.py"]
    assert "wait for one another" in loaded.broken[1].reason
    assert "which shop does not handle" in loaded.broken[0].reason


def test_a_file_that_completes_beside_another_group(folder: Folder) -> None:
    folder.write("2.py", "COMPLETES, GROUP = True, 'other'\ndef handle(event): ...")
    assert "completed by handlers in several groups" in folder.broken()["2.py"]


def test_of_two_files_that_complete_in_two_groups_the_last_is_broken(folder: Folder) -> None:
    """That another file requires the signal changes nothing; that a second one completes it elsewhere does."""
    folder.write("2-cg.py", "COMPLETES, GROUP = True, 'other'\ndef handle(event): ...")
    folder.write("3.py")
    assert folder.load(Handlers("shop")).broken == ()
    folder.write("2-a.py", "COMPLETES = True\ndef handle(event): ...")
    (broken,) = folder.load(Handlers("shop")).broken
    one_line(str(broken), "2-cg.py: account.opened is completed by handlers in several groups", "shop.other")


def test_a_name_that_a_decorated_handler_has(folder: Folder) -> None:
    on = shop()
    on(Page, name="page.py")(lambda event: None)
    folder.write("page.py")
    (broken,) = folder.load(on).broken
    one_line(broken.reason, "shop has two handlers named page.py")


def test_a_promise_for_a_group_that_is_empty_because_a_file_is_broken(folder: Folder) -> None:
    on = Handlers("shop", promises={"page": "at-least-once"})
    folder.write("31.py")
    folder.write("30.py")
    assert folder.load(on).handlers.promises == {"shop.page": "at-least-once"}
    folder.write("30.py", "ORDER = 'key'\ndef handle(event): ...")
    loaded = folder.load(on)
    assert [one.file.name for one in loaded.broken] == ["30.py"]
    assert list(Application(loaded.handlers, filed).groups) == ["shop.page.viewed"]
    folder.write("30.py", "1 / 0")
    assert list(Application(folder.load(on).handlers, filed).groups) == ["shop.page.viewed"]


def test_what_is_wrong_with_a_decorated_handler_is_no_files_fault(folder: Folder) -> None:
    on = Handlers("shop")
    on(ItemNew, name="award")(lambda event: None)
    folder.write("31.py")
    loaded = folder.load(on)
    assert loaded.broken == ()
    with pytest.raises(StartError, match=r"award .* requires account.opened, which shop does not handle"):
        Application(loaded.handlers, filed)


@pytest.mark.parametrize(
    ("number", "who"), [(0o775, "its group"), (0o757, "everybody"), (0o1777, "everybody")]
)
def test_a_folder_that_others_may_write_to(folder: Folder, number: int, who: str) -> None:
    folder.write("31.py", "raise AssertionError('it was run')")
    with mode(folder.path, number), pytest.raises(OpenToOthers) as caught:
        folder.load()
    one_line(caught.value, str(folder.path), f"may be written by {who}", "chmod go-w")


@pytest.mark.parametrize(("number", "who"), [(0o664, "its group"), (0o646, "everybody")])
def test_a_file_that_others_may_write_to(folder: Folder, number: int, who: str) -> None:
    file = folder.write("31.py", "raise AssertionError('it was run')")
    folder.write("30.py")
    with mode(file, number):
        one_line(folder.broken()["31.py"], f"may be written by {who}", "chmod go-w")
    assert folder.sound() == ["30.py"]


def test_a_link_to_a_file_that_others_may_write_to(folder: Folder, tmp_path: Path) -> None:
    file = tmp_path / "elsewhere.py"
    file.write_text("raise AssertionError('it was run')")
    (folder.path / "31.py").symlink_to(file)
    with mode(file, 0o666):
        assert "may be written by everybody" in folder.broken()["31.py"]


def test_what_belongs_to_another_user(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """The owner is whoever runs the tests; so the process is made to be another one."""
    file = folder.write("31.py", "raise AssertionError('it was run')")
    owner = file.stat().st_uid
    monkeypatch.setattr("oyez.consumers.handler_files.permissions.ROOT", -1)
    monkeypatch.setattr("os.geteuid", lambda: owner + 1)
    with pytest.raises(OpenToOthers) as caught:
        folder.load()
    one_line(caught.value, f"belongs to the user {owner}", f"this process is the user {owner + 1}")
    monkeypatch.setattr("oyez.consumers.handler_files.permissions.ROOT", owner)
    monkeypatch.setattr("os.geteuid", lambda: owner + 1)
    assert "AssertionError" in folder.broken()["31.py"]


def test_bytecode_is_not_believed(folder: Folder) -> None:
    """Whoever may write into __pycache__ alone could put anything there."""
    file = folder.write("31.py", "def handle(event): ...")
    cached = Path(importlib.util.cache_from_source(str(file)))
    py_compile.compile(str(file), cfile=str(cached))
    data = cached.read_bytes()
    cached.write_bytes(data[:16] + marshal.dumps(compile("raise AssertionError('it was run')", "x", "exec")))
    assert folder.sound() == ["31.py"]


def test_a_folder_that_cannot_be_read(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(SettingsError) as caught:
        folder.load()
    one_line(caught.value, "OYEZ_EVENT_FILES", str(folder.path), "Permission denied")


def test_no_such_file_and_no_such_folder(folder: Folder, tmp_path: Path) -> None:
    (folder.path / "31.py").symlink_to(tmp_path / "nowhere")
    assert "no file that can be read" in folder.broken()["31.py"]
    with pytest.raises(SettingsError, match="OYEZ_EVENT_FILES: there is no folder"):
        load_event_files(shop(), tmp_path / "nowhere", filed)
