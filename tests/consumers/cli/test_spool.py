"""The commands on the spool, with no service at all."""

from __future__ import annotations

import json
import signal
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from consumers.cli.conftest import Invoke
from consumers.cli.running import Shop
from support.waiting import eventually

VIEWS, SESSIONS = "clishop.cli.page.viewed", "clishop.cli.session.started"


@pytest.fixture
def deployment(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> Invoke:
    """The shop with an SQLite file and the files of the spool."""
    monkeypatch.setenv("OYEZ_TRANSPORT", "spool")
    assert invoke("db", "upgrade").exit_code == 0
    return invoke


def printed(deployment: Invoke, *arguments: str, given: str | None = None) -> str:
    result = deployment(*arguments, given=given)
    assert result.exit_code == 0, result.output
    return result.stdout


def visit(deployment: Invoke, session: str, *urls: str) -> list[str]:
    """Announce a session and its views; the ids."""
    printed(deployment, "announce", "901", "-d", json.dumps({"session_id": session}))
    lines = "".join(json.dumps({"session_id": session, "url": url}) + "\n" for url in urls)
    return printed(deployment, "announce", "cli.page.viewed", "-d", "-", given=lines).split()


def noted(folder: Path) -> list[str]:
    with sqlite3.connect(folder / "oyez.db") as db:
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'noted'").fetchone():
            return []
        return [what for (what,) in db.execute("SELECT what FROM noted")]


def seen(folder: Path) -> set[str]:
    """The groups with a member that has given a sign of life."""
    with sqlite3.connect(folder / "oyez.db") as db:
        return {group for (group,) in db.execute("SELECT group_name FROM oyez_member")}


def swept(deployment: Invoke, *more: str) -> dict[str, int]:
    return {one["group"]: one["handled"] for one in json.loads(printed(deployment, "sweep", "--json", *more))}


def test_one_pass_reads_what_the_spool_holds(deployment: Invoke, tmp_path: Path) -> None:
    visit(deployment, "s1", "/a", "/b")
    assert swept(deployment) == {SESSIONS: 1, VIEWS: 2, "clishop.cli.ticked": 0}
    assert noted(tmp_path) == ["started", "/a", "/b"]
    assert set(swept(deployment).values()) == {0}
    visit(deployment, "s2", "/c")
    assert swept(deployment)[VIEWS] == 1
    (folder,) = (tmp_path / "spool").iterdir()
    assert folder.name == "oyez.events"


def test_what_is_read_is_said_the_own_spool_too(deployment: Invoke, tmp_path: Path) -> None:
    (tmp_path / "web-1").mkdir()
    visit(deployment, "s1", "/a")
    for named, said in ((("web-1",), "web-1, spool"), ((), "spool")):
        more = [word for name in named for word in ("--spool", name)]
        assert swept(deployment, *more)[VIEWS] == (1 if named else 0)
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("OYEZ_SPOOLS", json.dumps(named))
            assert f"spool\t{said}\n" in printed(deployment, "status")
            assert len(json.loads(printed(deployment, "spool", "status", "--json"))) == 1


@pytest.mark.parametrize(
    "command", [["sweep"], ["sweep", "--every", "1"], ["listen"], ["listen", "--limit", "3"]]
)
def test_a_folder_to_read_that_is_not_there(
    deployment: Invoke,
    refused: Callable[..., None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: list[str],
) -> None:
    """The own one need not be there yet."""
    nowhere = str(tmp_path / "nowhere")
    refused([*command, "--spool", nowhere], 4, f"there is no folder {nowhere}", "OYEZ_SPOOLS")
    monkeypatch.setenv("OYEZ_SPOOLS", json.dumps([str(tmp_path), nowhere]))
    refused(command, 4, f"there is no folder {nowhere}")
    monkeypatch.delenv("OYEZ_SPOOLS")
    monkeypatch.setenv("OYEZ_SPOOL", nowhere)
    if "--limit" in command or command == ["sweep"]:
        assert deployment(*command).exit_code == 0
    monkeypatch.setenv("OYEZ_SPOOLS", json.dumps([nowhere]))
    monkeypatch.setenv("OYEZ_TRANSPORT", "inline")
    if command == ["sweep"]:
        assert deployment(*command).exit_code == 0, "it reads no spool, then"


@pytest.mark.parametrize("command", [["sweep"], ["listen", "--limit", "9"]])
def test_a_log_that_is_halted_is_said_each_time(
    deployment: Invoke, tmp_path: Path, command: list[str]
) -> None:
    """The other groups go on; it is over when the position is in the log again."""
    visit(deployment, "s1", "/a")
    printed(deployment, "sweep")
    with sqlite3.connect(tmp_path / "oyez.db") as db:
        db.execute("UPDATE oyez_position SET position = 99999 WHERE group_name = ?", (SESSIONS,))
    for n in range(2):
        visit(deployment, "s1", f"/{n}")
        result = deployment(*command, "--json")
        assert result.exit_code == 1, result.output
        (line,) = [line for line in result.stderr.splitlines() if "is not read any more" in line]
        assert f"{SESSIONS}: oyez.events partition" in line
        assert "the group's position 99999 is not in it" in line
        if command[0] == "listen":
            (done,) = json.loads(result.stdout)
            (said,) = done["halted"]
            assert said in line.replace(" is not read any more", "")
        assert noted(tmp_path) == ["started", "/a", *(f"/{m}" for m in range(n + 1))]
    printed(deployment, "rewind", "cli.session.started", "--to", "latest", "--yes")
    printed(deployment, *command)


def test_a_pass_reads_no_more_than_it_may(deployment: Invoke, tmp_path: Path) -> None:
    visit(deployment, "s1", *(f"/{n}" for n in range(9)))
    handled = 0
    for _ in range(12):
        handled += (now := sum(swept(deployment, "--limit", "4").values()))
        assert now <= 4
    assert handled == 10
    assert noted(tmp_path) == ["started", *(f"/{n}" for n in range(9))]
    assert swept(deployment, "--max-seconds", "30")[VIEWS] == 0


def test_status_and_rewind(deployment: Invoke, tmp_path: Path) -> None:
    visit(deployment, "s1", "/a")
    (file,) = (tmp_path / "spool").rglob("*.ndjson")
    half = file.stat().st_size
    before = json.loads(printed(deployment, "status", "--json"))
    assert {one["spool"] for one in before} == {"spool"}
    assert {one["lag"] for one in before} == {half}
    assert {one["lag_unit"] for one in before} == {"bytes"}
    said = printed(deployment, "status")
    assert said.count(f"\t{half} bytes\t") == 6  # each of three groups, and its only partition
    swept(deployment)
    moment = datetime.now(UTC).isoformat()
    visit(deployment, "s2", "/b")
    swept(deployment)
    for to, at in (("earliest", 0), (moment, half), ("latest", file.stat().st_size)):
        (row,) = json.loads(printed(deployment, "rewind", "cli.page.viewed", "--to", to, "--yes", "--json"))
        assert row["to"] == at, to
    printed(deployment, "rewind", "cli.page.viewed", "--to", "earliest", "--yes", "--again")
    assert swept(deployment)[VIEWS] == 2
    assert noted(tmp_path).count("/a") == 2
    refused = deployment("rewind", "cli.page.viewed", "--to", "99999", "--yes")
    assert refused.exit_code == 2
    assert "has the offsets 0 to" in refused.stderr


def test_what_cannot_be(
    deployment: Invoke,
    refused: Callable[..., None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("OYEZ_SPOOL", "file")
    refused(["announce", "cli.ticked", "-d", "{}"], 1, "file", "not announced")
    monkeypatch.setenv("OYEZ_TRANSPORT", "inline")
    refused(["listen"], 2, "transport inline", "kafka or spool")
    monkeypatch.setenv("OYEZ_SPOOL_FSYNC", "sometimes")
    refused(["sweep"], 2, "spool_fsync", "OYEZ_SPOOL_FSYNC")


def test_listening_and_a_sweep_beside_it(deployment: Invoke, tmp_path: Path) -> None:
    shop = Shop(tmp_path, {"OYEZ_APP": "shop:on"})
    with shop.running("listen") as listening:
        visit(deployment, "s1", "/a")
        eventually(lambda: noted(tmp_path) == ["started", "/a"])
        eventually(lambda: VIEWS in seen(tmp_path))  # its first sign of life may have met another writer
        beside = deployment("sweep")
        assert beside.exit_code == 0
        assert f"{VIEWS} is being read by" in beside.stderr
        assert listening.end(signal.SIGTERM) == 0
    assert "listening to the spool at spool" in listening.said()
    assert set(swept(deployment).values()) == {0}
