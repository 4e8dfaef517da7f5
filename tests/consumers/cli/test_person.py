"""`oyez forget` and `oyez export`."""

from __future__ import annotations

import json
import shutil

import pytest

from consumers.cli.conftest import Invoke
from consumers.cli.running import Shop, one_line
from oyez.consumers.reports import personal
from oyez.producers.spool import Folder, Writer
from support.held import is_held

BAD = {
    "specversion": "1.0",
    "type": "cli.page.viewed",
    "source": "php",
    "id": "bad",
    "time": "2026-01-01T00:00:00Z",
    "partitionkey": "bad-anna",
}


def announced(shop: Shop, signal: str, **data: str) -> str:
    return shop.print("announce", signal, "-d", json.dumps(data)).splitlines()[-1]


@pytest.fixture
def visited(spooled_shop: Shop) -> Shop:
    """A shop in which two visitors have one event that was done, one that waits, and one that is not read yet."""
    shop = Shop(spooled_shop.folder, {**spooled_shop.settings, "OYEZ_JOURNAL": "all"})
    shop.print("db", "upgrade")
    for visitor in ("anna", "bert"):
        announced(shop, "cli.page.viewed", session_id=f"{visitor}-2", url="/waits")
        announced(shop, "cli.session.started", session_id=visitor)
        announced(shop, "cli.page.viewed", session_id=visitor, url=f"/{visitor}")
    shop.print("listen", "--limit", "20")
    for visitor in ("anna", "bert"):
        announced(shop, "cli.page.viewed", session_id=visitor, url="/later")
    return shop


def spooled(shop: Shop) -> list[dict[str, object]]:
    return [json.loads(line) for line in shop.print("spool", "cat").splitlines()]


def test_one_is_forgotten_and_the_other_goes_on(visited: Shop) -> None:
    bert = visited.print("export", "bert")
    where = [json.loads(line)["where"] for line in visited.print("export", "anna").splitlines()]
    assert sorted(set(where)) == ["inbox", "journal", "prerequisites", "spool"]
    assert where.count("spool") == 3
    counted = json.loads(visited.print("forget", "anna", "--dry-run", "--json"))
    assert {one["where"]: one["found"] for one in counted}["spool"] == 3
    assert json.loads(visited.print("forget", "anna", "--dry-run", "--json")) == counted
    done = json.loads(visited.print("forget", "anna", "--yes", "--json", "--written-here"))
    assert {one["where"]: one["removed"] for one in done} == {
        "spool": 3,
        "journal": 2,
        "prerequisites": 1,
        "inbox": 0,
    }
    assert not any(b'anna"' in file.read_bytes() for file in (visited.folder / "spool").rglob("*.ndjson"))
    assert [line for line in visited.print("export", "bert").splitlines() if "/spool/" not in line] == [
        line for line in bert.splitlines() if "/spool/" not in line
    ]
    events = spooled(visited)
    assert [one["type"] for one in events].count("oyez.forgotten") == 3
    assert sum(one.get("partitionkey") == "bert" for one in events) == 3
    visited.print("listen", "--limit", "20")
    status = visited.run("dead", "list")
    assert status.stdout == ""
    assert "/later" in visited.print("export", "bert")
    left = visited.run("export", "anna")
    assert left.returncode == 4
    one_line(visited.run("forget", "anna", "--yes"), 4, "nothing is stored of 'anna'")


def test_a_parked_event_of_one_is_forgotten(visited: Shop) -> None:
    done = json.loads(visited.print("forget", "anna-2", "--yes", "--json", "--written-here"))
    assert {one["where"]: (one["found"], one["removed"]) for one in done} == {
        "spool": (1, 1),
        "parked": (1, 1),
        "journal": (1, 1),
        "prerequisites": (1, 1),
        "inbox": (1, 0),
    }
    assert visited.run("export", "anna-2").returncode == 4  # what the inbox has leads to nobody any more
    rows = json.loads(visited.print("retry", "list", "--json"))
    assert [row["key"] for row in rows] == ["bert-2"]


def test_what_is_exported_is_readable(visited: Shop) -> None:
    found = [json.loads(line) for line in visited.print("export", "anna-2").splitlines()]
    (parked,) = [one for one in found if one["where"] == "parked"]
    assert parked["value"]["data"] == {"session_id": "anna-2", "url": "/waits"}
    (waiting,) = [one for one in found if one["where"] == "journal"]
    assert (waiting["outcome"], waiting["wait_subject"]) == ("waiting", "anna-2")
    assert [one["where"] for one in found if one["where"] == "spool"] == ["spool"]
    assert visited.run("export", "anna-2", "--only", "subject").stdout.count("\n") == 1


def test_nothing_is_done_without_being_asked_for(visited: Shop) -> None:
    before = {file: file.read_bytes() for file in (visited.folder / "spool").rglob("*.ndjson")}
    refused = visited.run("forget", "anna")
    assert refused.returncode == 2
    assert "--yes" in refused.stderr
    assert {file: file.read_bytes() for file in (visited.folder / "spool").rglob("*.ndjson")} == before
    wrong = visited.run("forget", "anna", "--only", "name")
    assert wrong.returncode == 2
    told = visited.run("export", "anna")
    assert "Kafka" not in told.stderr
    done = visited.run("forget", "anna", "--yes")
    assert "without them what the spool, or a copy of it, has would be handled again" in done.stdout
    assert "Kafka" not in done.stdout + done.stderr


def test_where_there_is_a_kafka_it_is_said_that_it_keeps_what_it_has(visited: Shop) -> None:
    shipped = Shop(visited.folder, {**visited.settings, "OYEZ_KAFKA": "127.0.0.1:9"})
    assert "Kafka keeps what it has" in shipped.run("export", "anna").stderr
    done = shipped.run("forget", "anna", "--yes")
    assert "without them what Kafka has would be handled again" in done.stdout
    assert "Kafka keeps what it has" in done.stderr


def test_a_copy_of_another_hosts_log_is_rewritten_but_for_its_last_segment(visited: Shop) -> None:
    copy = visited.folder / "copied" / "oyez.events"
    copy.mkdir(parents=True)
    own = next((visited.folder / "spool").rglob("folder.json")).parent
    for file in own.iterdir():
        if file.suffix in (".ndjson", ".json"):
            (copy / file.name).write_bytes(file.read_bytes())
    (visited.folder / "spool").rename(visited.folder / "gone")
    done = visited.run("forget", "anna", "--yes", "--json", "--spool", "copied")
    assert done.returncode == 0, "no run here would remove more"
    (row,) = [one for one in json.loads(done.stdout) if one["where"] == "spool"]
    assert (row["removed"], row["left"]) == (0, 3)
    assert "the segment that is being written, forget where that is" in row["why"]


def test_every_copy_of_a_log_is_rewritten_and_the_other_one_not_left_out(visited: Shop) -> None:
    """The copy has what the log itself had when it was copied; only one of the two is read by workers."""
    copy = visited.folder / "copied" / "oyez.events"
    own = next((visited.folder / "spool").rglob("folder.json")).parent
    Writer(own, "oyez.events").roll()
    announced(visited, "cli.page.viewed", session_id="carl", url="/later")
    shutil.copytree(own, copy)
    done = visited.run("forget", "anna", "--yes", "--json", "--spool", "copied", "--spool", "spool")
    (row,) = [one for one in json.loads(done.stdout) if one["where"] == "spool"]
    assert (done.returncode, row["found"], row["removed"], row["why"]) == (0, 6, 6, None)
    for folder in (own, copy):
        assert not any(b'anna"' in file.read_bytes() for file in folder.glob("*.ndjson"))
        assert any(b"bert" in file.read_bytes() for file in folder.glob("*.ndjson"))
    assert visited.run("export", "anna", "--spool", "copied", "--spool", "spool").returncode == 4


def test_what_is_no_key_is_refused(visited: Shop) -> None:
    one_line(visited.run("forget", "", "--yes"), 2, "empty")
    one_line(visited.run("export", ""), 2, "empty")


def test_what_was_forgotten_is_neither_printed_nor_announced_again(visited: Shop) -> None:
    visited.print("forget", "anna", "--yes", "--written-here")
    seen = visited.print("tail", "--no-follow", "--json", "--from-beginning")
    assert "oyez.forgotten" not in seen
    assert "bert" in seen
    again = json.loads(visited.print("replay", "--dry-run", "--json"))
    assert {one["signal"]: one["events"] for one in again} == {"cli.page.viewed": 4, "cli.session.started": 1}


def test_the_segment_that_is_written_is_left_unless_it_is_said_to_be_no_copy(visited: Shop) -> None:
    """A new segment in a copy would keep the workers there from what comes with the next copying."""
    before = sorted(visited.folder.glob("spool/**/*.ndjson"))
    done = visited.run("forget", "anna", "--yes", "--json")
    (spool,) = [one for one in json.loads(done.stdout) if one["where"] == "spool"]
    assert (done.returncode, spool["removed"], spool["left"]) == (1, 0, 3)
    assert spool["why"].endswith("3 in the segment that is being written, see --written-here")
    assert sorted(visited.folder.glob("spool/**/*.ndjson")) == before


@pytest.mark.parametrize(
    "data", ['{"session_id":"anna-2","url":["a"]}', r'{"session_id":"anna-2","url":"\ud800"}']
)
def test_what_cannot_be_decoded_goes_too_out_of_the_spool_and_of_the_dead_letters(
    visited: Shop, data: str
) -> None:
    """A record of the spool has no key beside its bytes."""
    wrong = json.dumps(BAD)[:-1] + f',"data":{data}}}'
    own = next((visited.folder / "spool").rglob("folder.json")).parent
    writer = Writer(own, "oyez.events")
    writer.append(wrong.encode())
    writer.close()
    visited.print("listen", "--limit", "20")
    assert len(json.loads(visited.print("dead", "list", "--json"))) == 1
    found = [json.loads(line) for line in visited.print("export", "bad-anna").splitlines()]
    assert sorted(one["where"] for one in found) == ["dead", "spool"]
    assert all("php" in str(one) for one in found)
    visited.print("forget", "bad-anna", "--yes", "--written-here")
    assert visited.run("export", "bad-anna").returncode == 4
    assert json.loads(visited.print("dead", "list", "--json")) == []
    assert not any(b"bad-anna" in file.read_bytes() for file in (visited.folder / "spool").rglob("*.ndjson"))


@pytest.mark.parametrize("command", [["export"], ["forget", "--dry-run"]])
def test_no_transaction_is_open_while_the_spool_is_read(
    invoke: Invoke, database: str, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    """PostgreSQL would end one that takes longer than OYEZ_IDLE_IN_TRANSACTION."""
    said = {"DATABASE": database, "TRANSPORT": "spool", "SPOOL": "spool", "SQLITE_JOURNAL": "delete"}
    for name, value in said.items():
        monkeypatch.setenv(f"OYEZ_{name}", value)
    assert invoke("db", "upgrade").exit_code == 0
    assert invoke("announce", "901", "-d", '{"session_id": "anna"}').exit_code == 0
    held: list[bool] = []
    read = personal.pieces

    def slowly(folder: Folder) -> object:
        held.append(is_held(database))
        return read(folder)

    monkeypatch.setattr(personal, "pieces", slowly)
    done = invoke(*command, "anna")
    assert (done.exit_code, held) == (0, [False]), done.output
    assert "spool" in done.stdout
