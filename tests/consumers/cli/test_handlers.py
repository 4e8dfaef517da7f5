"""`oyez handlers`, and event files in commands."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from consumers.cli.conftest import Invoke

Refused = Callable[..., None]
SOUND = "def handle(event): ..."


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of event files that is set."""
    folder = tmp_path / "files"
    folder.mkdir()
    monkeypatch.setenv("OYEZ_EVENT_FILES", str(folder))
    return folder


def test_by_signal_decorated_ones_first(invoke: Invoke, files: Path) -> None:
    (files / "903_mydata.py").write_text(SOUND)
    (files / "cli.session.started-award.py").write_text(f"REQUIRES, ORDER = {{}}, 'none'\n{SOUND}")
    result = invoke("handlers", "--json")
    rows = json.loads(result.stdout)
    assert result.exit_code == 0, result.stderr
    assert [(row["signal"], row["handler"]) for row in rows if row["signal"].startswith("cli.")] == [
        ("cli.session.started", "open_visit"),
        ("cli.session.started", "cli.session.started-award.py"),
        ("cli.page.viewed", "count_view"),
        ("cli.page.viewed", "903_mydata.py"),
        ("cli.ticked", "tick"),
    ]
    assert rows[3] == {
        "signal": "cli.page.viewed",
        "number": 903,
        "handler": "903_mydata.py",
        "group": "clishop.cli.page.viewed",
        "order": "key",
        "requires": {"cli.session.started": "session_id"},
        "completes": False,
        "retry": None,
        "concurrency": None,
        "timeout": None,
        "file": str(files / "903_mydata.py"),
        "broken": None,
    }
    assert rows[0]["file"] is None
    assert (rows[0]["completes"], rows[1]["completes"], rows[1]["order"]) == (True, False, "none")


def test_a_handlers_own_retries_are_listed(invoke: Invoke, files: Path) -> None:
    own = "from oyez.consumers import Backoff\nRETRY = Backoff(first=30, attempts=8)\n"
    (files / "903.py").write_text(own + SOUND)
    rows = {row["handler"]: row["retry"] for row in json.loads(invoke("handlers", "--json").stdout)}
    assert rows["903.py"] == "first 30, attempts 8"
    assert rows["count_view"] is None


def test_broken_ones_are_listed_and_the_code_is_3(invoke: Invoke, files: Path) -> None:
    (files / "903.py").write_text("1 / 0")
    (files / "904.py").write_text(SOUND)
    result = invoke("handlers", "--json")
    rows = {row["handler"]: row for row in json.loads(result.stdout)}
    assert result.exit_code == 3
    assert "broken event files: 903.py, 904.py" in result.stderr
    assert rows["903.py"]["signal"] == "cli.page.viewed"
    assert "ZeroDivisionError" in rows["903.py"]["broken"]
    assert (rows["904.py"]["signal"], rows["904.py"]["group"]) == (None, None)
    assert "unknown signal 904" in rows["904.py"]["broken"]
    assert rows["count_view"]["broken"] is None


def test_a_name_with_control_characters_is_shown_alike_everywhere(invoke: Invoke, files: Path) -> None:
    (files / "903-\x1b[2J\n.py").write_text("1 / 0")
    result = invoke("handlers")
    shown = r"903-\x1b[2J\n.py"
    assert f"\t{shown}\t" in result.stdout
    assert f"broken event files: {shown}\n" in result.stderr
    assert invoke("db", "upgrade").exit_code == 0
    loaded = invoke("status", "--no-lag").stderr
    assert "\x1b" not in result.output + loaded
    assert f"is broken and does not run: {shown}: it cannot be imported: ZeroDivisionError" in loaded


def test_as_lines(invoke: Invoke, files: Path) -> None:
    (files / "903.py").write_text(SOUND)
    head, *lines = invoke("handlers").stdout.splitlines()
    assert head.split("\t") == [
        "signal",
        "number",
        "handler",
        "group",
        "order",
        "requires",
        "completes",
        "retry",
        "lanes",
        "timeout",
        "file",
        "broken",
    ]
    assert [
        "cli.page.viewed",
        "903",
        "903.py",
        "clishop.cli.page.viewed",
        "key",
        "cli.session.started (session_id)",
        "no",
        "-",
        "-",
        "-",
        str(files / "903.py"),
        "-",
    ] in [line.split("\t") for line in lines]


def test_signals_name_them(invoke: Invoke, files: Path) -> None:
    (files / "903.py").write_text(SOUND)
    rows = {row["name"]: row for row in json.loads(invoke("signals", "--json").stdout)}
    assert rows["cli.page.viewed"]["handlers"] == ["count_view", "903.py"]


def test_what_a_file_prints_is_no_data(invoke: Invoke, files: Path) -> None:
    (files / "903.py").write_text(f"print('hello')\n{SOUND}")
    assert json.loads(invoke("handlers", "--json").stdout)


def test_a_command_says_which_files_are_broken_and_goes_on(invoke: Invoke, files: Path) -> None:
    (files / "903.py").write_text("1 / 0")
    (files / "901.py").write_text(SOUND)
    assert invoke("db", "upgrade").exit_code == 0
    result = invoke("sweep", "--json")
    assert result.exit_code == 0, result.stderr
    (said,) = [line for line in result.stderr.splitlines() if "event file" in line]
    assert "903.py: it cannot be imported: ZeroDivisionError" in said
    assert json.loads(result.stdout)


def test_broken_files_may_be_fatal(invoke: Invoke, files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (files / "903.py").write_text("1 / 0")
    (files / "904.py").write_text(SOUND)
    monkeypatch.setenv("OYEZ_EVENT_FILES_STRICT", "true")
    result = invoke("sweep")
    last = result.stderr.splitlines()[-1]
    assert result.exit_code == 2
    assert "OYEZ_EVENT_FILES_STRICT" in last
    assert "903.py: it cannot be imported" in last
    assert "904.py: unknown signal 904" in last
    assert invoke("handlers").exit_code == 3


def test_a_folder_that_others_may_write_to(refused: Refused, files: Path) -> None:
    files.chmod(0o777)
    for command in ("handlers", "sweep"):
        refused([command], 2, str(files), "may be written by everybody", "chmod go-w")


def test_no_such_folder(refused: Refused, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OYEZ_EVENT_FILES", "nowhere")
    refused(["handlers"], 2, "OYEZ_EVENT_FILES", "there is no folder nowhere")


def test_an_application_that_cannot_start(refused: Refused, invoke: Invoke) -> None:
    result = invoke("--app", "unmet:on", "handlers")
    assert result.exit_code == 2
    assert result.stdout != ""


def test_retries_and_explain_name_the_file(
    invoke: Invoke, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OYEZ_TRANSPORT", "spool")
    (files / "cli.ticked-mine.py").write_text(
        "GROUP = 'mine'\ndef handle(event): raise ValueError('as told')"
    )
    assert invoke("db", "upgrade").exit_code == 0
    event = invoke("announce", "cli.ticked", "-d", "{}").stdout.strip()
    left = "0 handled, 1 remain (0 in the log, 1 parked); oyez retry list says why\n"
    assert invoke("listen", "mine", "--limit", "9").stdout == left
    (row,) = json.loads(invoke("retry", "list", "--handler", "cli.ticked-mine.py", "--json").stdout)
    assert (row["event_id"], row["handler"]) == (event, "cli.ticked-mine.py")
    assert "cli.ticked-mine.py" in invoke("explain", event, "--no-lag").stdout
    shown = invoke("retry", "show", event).stdout
    assert "cli.ticked-mine.py" in shown
    assert "as told" in shown
