"""`oyez doctor` on a spool and an SQLite file: each cause is told once, with what to do."""

from __future__ import annotations

import socket
import subprocess

import pytest
from sqlalchemy import create_engine, text

from consumers.cli.running import OYEZ, Shop
from consumers.doctor.examined import examined
from oyez.consumers.doctor.checks.sqlite_journal import is_repaired
from oyez.consumers.doctor.registry import CHECKS
from support.unprivileged import modes_count

VIEW = ("announce", "903", "-d", '{"session_id": "s1", "url": "/"}')


@pytest.fixture
def ready(spooled_shop: Shop) -> Shop:
    spooled_shop.print("db", "upgrade")
    return spooled_shop


def change(shop: Shop, *statements: str) -> None:
    """Change something in the shop's tables."""
    engine = create_engine(shop.settings["OYEZ_DATABASE"])
    with engine.begin() as db:
        for statement in statements:
            db.execute(text(statement))
    engine.dispose()


def test_each_check_needs_only_what_is_checked_before_it() -> None:
    seen: set[str] = set()
    for check in CHECKS:
        assert set(check.needs) <= seen, check.name
        assert check.name not in seen
        seen.add(check.name)


def test_a_cause_is_told_once_and_what_depends_on_it_names_it(spooled_shop: Shop) -> None:
    found = examined(spooled_shop)
    assert found.code == 3
    assert [name for name, states in found.states.items() if "wrong" in states] == ["database"]
    assert "does not exist" in found.says["database"]
    assert found.advice["database"] == "run: oyez db upgrade"
    left = [name for name, states in found.states.items() if found.because[name] == "database"]
    assert {"migrations", "database's clock", "SQLite's journal", "outbox", "mail queue", "workers"} <= {
        *left
    }
    assert not (spooled_shop.folder / "oyez.db").exists()  # looking has made nothing
    assert not (spooled_shop.folder / "spool").exists()


def test_what_is_deleted_of_a_spool_is_told_in_bytes(ready: Shop) -> None:
    ready.print(*VIEW)
    ready.print("sweep")  # the groups have positions now
    ready.print(*VIEW)
    (old,) = (ready.folder / "spool").rglob("*.ndjson")
    first, end = len(old.read_bytes().split(b"\n")[0]) + 1, old.stat().st_size
    old.chmod(0o400)
    ready.print(*VIEW)
    old.unlink()
    found = examined(ready)
    assert found.states["retention and positions"] == ["wrong"] * 3
    assert f": {end - first} bytes deleted unread" in found.says["retention and positions"]


def test_where_all_is_well_nothing_is_wrong(ready: Shop) -> None:
    ready.print(*VIEW)
    found = examined(ready)
    assert found.code == 0
    assert {state for states in found.states.values() for state in states} <= {
        "ok",
        "warning",
        "not checked",
    }
    for name in ("settings", "application", "database", "migrations", "database's clock", "log", "topics"):
        assert found.states[name] == ["ok"], name
    assert "oyez.events (1 partition)" in found.says["topics"]
    plain = ready.run("doctor").stdout.splitlines()
    assert plain[0].split("\t") == ["check", "state", "found", "what to do"]


def test_wrong_settings_are_the_only_cause(ready: Shop) -> None:
    found = examined(ready, OYEZ_BATCH="many", OYEZ_TOPIK="a")
    assert (found.code, found.states["settings"]) == (3, ["wrong", "warning"])
    assert "OYEZ_BATCH in the environment: Input should be" in found.says["settings"]
    assert "did you mean OYEZ_TOPIC?" in found.says["settings"]
    others = {name: because for name, because in found.because.items() if name != "settings"}
    assert set(others.values()) == {"settings"}


@pytest.mark.parametrize("content", [b"batch = ", b"\xff", None], ids=["no TOML", "no UTF-8", "a folder"])
def test_a_file_of_settings_that_cannot_be_read_is_the_only_cause(ready: Shop, content: bytes | None) -> None:
    file = ready.folder / "oyez.toml"
    if content is None:
        file.mkdir()
    else:
        file.write_bytes(content)
    found = examined(ready)
    assert (found.code, found.states["settings"]) == (3, ["wrong"])
    assert "oyez.toml" in found.says["settings"]
    others = {name: because for name, because in found.because.items() if name != "settings"}
    assert set(others.values()) == {"settings"}


@pytest.mark.parametrize(
    ("app", "state", "words"),
    [
        ("nowhere:on", "wrong", "there is no module nowhere"),
        ("unmet:on", "wrong", "requires"),
        ("", "not checked", "no application is named"),
    ],
)
def test_an_application_that_cannot_start_is_told(ready: Shop, app: str, state: str, words: str) -> None:
    found = examined(ready, OYEZ_APP=app)
    assert (found.states["application"], found.states["database"]) == ([state], ["ok"])
    assert words in found.says["application"]
    assert (found.code, found.because["topics"]) == (3 if state == "wrong" else 0, "application")


def test_what_waits_for_what_nobody_handles_is_wrong(ready: Shop) -> None:
    ready.print(*VIEW)
    ready.run("listen", "--limit", "9")
    found = examined(ready)
    assert found.states["prerequisites"] == ["warning"]
    assert "clishop.cli.session.started handles: it has no worker" in found.says["prerequisites"]
    ready.print("pause", "cli.session.started")
    assert "it is paused" in examined(ready).says["prerequisites"]
    change(ready, "UPDATE oyez_parked SET wait_signal = 'gone'")
    found = examined(ready)
    assert (found.code, found.states["prerequisites"]) == (3, ["wrong"])
    assert "wait for gone, which no handler of clishop completes" in found.says["prerequisites"]


def test_what_workers_and_the_outbox_have_noted_is_told(ready: Shop) -> None:
    ready.print(*VIEW)
    ready.run("listen", "--limit", "9")
    members = ", ".join(f"('clishop.cli.page.viewed', 'm{n}', unixepoch() + 1)" for n in range(3))
    change(
        ready,
        "UPDATE oyez_position SET halted = 'the topic was made again' WHERE group_name LIKE '%viewed'",
        f"INSERT INTO oyez_member VALUES {members}",
        "INSERT INTO oyez_relay_lease (name, until, error) VALUES ('outbox', 0, 'the broker is away')",
        "INSERT INTO oyez_mail (app, handler, state, rank, since, due_at, recipients, remaining, subject,"
        " message_id, size, queued_at, changed_at, content)"
        " VALUES ('a', 'h', 'waiting', 1, 0, 0, '[]', '[]', 's', 'm', 1, 0, 0, x'00')",
    )
    found = examined(ready)
    assert (found.code, found.states["positions"]) == (3, ["wrong"])
    assert "is halted: the topic was made again" in found.says["positions"]
    assert "has 3 workers and 1 partitions: 2 do nothing" in found.says["workers"]
    assert "no mail server is set" in found.says["mail queue"]


def test_a_spool_that_cannot_be_written_is_wrong(ready: Shop) -> None:
    ready.print(*VIEW)
    spool = ready.folder / "spool"
    full = examined(ready, OYEZ_SPOOL_SEGMENT_BYTES=str(10**18))
    assert (full.code, full.states["spool"]) == (3, ["wrong"])
    assert "not one more segment" in full.says["spool"]
    (ready.folder / "file").write_text("")
    found = examined(ready, OYEZ_SPOOL=str(ready.folder / "file" / "spool"))
    assert [name for name, states in found.states.items() if "wrong" in states] == ["log"]
    assert f"{ready.folder / 'file'} is no folder" in found.says["log"]
    before = {
        "OYEZ_TRANSPORT": "kafka",
        "OYEZ_KAFKA": "127.0.0.1:1",
        "OYEZ_SPOOL": str(ready.folder / "file"),
    }
    assert f"{ready.folder / 'file'} is no folder" in examined(ready, **before).says["spool"]
    spool.chmod(0o555)
    done = ready.run("doctor", before=modes_count)
    spool.chmod(0o755)
    assert f"this process may not write to {spool}" in done.stdout
    assert done.returncode == 3


def test_a_mail_server_that_is_away_is_wrong_and_its_password_is_not_told(ready: Shop) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens
        found = examined(
            ready,
            OYEZ_MAIL_HOST="127.0.0.1",
            OYEZ_MAIL_PORT=str(taken.getsockname()[1]),
            OYEZ_MAIL_USER="shop",
            OYEZ_MAIL_PASSWORD="hunter2",
        )
    assert (found.code, found.states["mail server"]) == (3, ["wrong"])
    assert "cannot be reached" in found.says["mail server"]
    assert "OYEZ_MAIL_HOST" in found.advice["mail server"]
    assert "hunter2" not in str(found)


def test_who_reads_only_the_first_lines_ends_it_quietly(ready: Shop) -> None:
    done = subprocess.run(
        f"{OYEZ} doctor | head -n 1",
        shell=True,
        cwd=ready.folder,
        env=ready.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.startswith("check\t")
    assert "Broken pipe" not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("version", "repaired"),
    [
        ((3, 40, 1), False),
        ((3, 44, 5), False),
        ((3, 44, 6), True),
        ((3, 50, 6), False),
        ((3, 50, 7), True),
        ((3, 51, 2), False),
        ((3, 51, 3), True),
        ((3, 53, 0), True),
    ],
)
def test_which_versions_of_sqlite_have_the_race(version: tuple[int, ...], repaired: bool) -> None:
    assert is_repaired(version) is repaired


def test_the_journal_that_runs_is_told(ready: Shop) -> None:
    sqlite = pytest.importorskip("sqlite3").sqlite_version_info
    expected = "ok" if is_repaired(sqlite) else "warning"
    assert examined(ready).states["SQLite's journal"] == [expected]
    ready.run("db", "upgrade", OYEZ_SQLITE_JOURNAL="delete")
    safe = examined(ready)
    assert safe.states["SQLite's journal"] == ["ok"]
    assert "journal mode delete" in safe.says["SQLite's journal"]
