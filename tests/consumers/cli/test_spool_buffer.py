"""`oyez spool …` and `oyez status` on the spool before Kafka."""

from __future__ import annotations

import gzip
import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from consumers.cli.conftest import Invoke
from oyez.consumers.reports.spool_states import state_of
from oyez.producers.spool import Writer, found_in
from producers.kafka.failover.fakes import event
from producers.kafka.test_transport import records
from producers.spool_shipping.logs_to_ship import DEEP

Refused = Callable[..., None]


def spooled(
    path: Path, count: int, *, topic: str = "t", begin: int = 0, limit: int = 700, **more: Any
) -> None:
    writer = Writer(path / topic, topic, fsync="never", segment_bytes=limit)
    for n in range(begin, begin + count):
        writer.append(event("a", n, time=f"2026-01-01T00:00:{n:02d}Z", **more))
    writer.close()


def segments(path: Path, topic: str = "t") -> list[Path]:
    return sorted((path / topic).glob("*.ndjson"))


@pytest.fixture
def spool(invoke: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OYEZ_SPOOL", str(tmp_path / "spool"))
    monkeypatch.setenv("OYEZ_TRANSPORT", "kafka")
    spooled(tmp_path / "spool", 12)
    return tmp_path / "spool"


def states(invoke: Invoke, *arguments: str) -> list[dict[str, Any]]:
    result = invoke("spool", "status", "--json", *arguments)
    assert result.exit_code == 0, result.output
    found: list[dict[str, Any]] = json.loads(result.stdout)
    return found


def test_status_says_what_there_is_and_what_was_not_shipped(invoke: Invoke, spool: Path) -> None:
    spooled(spool, 2, topic="u")
    first, second = states(invoke)
    assert (first["topic"], first["backlog"], first["shipped"], first["refused"]) == ("t", 12, None, 0)
    assert first["bytes"] == first["backlog_bytes"] == sum(file.stat().st_size for file in segments(spool))
    assert first["segments"] == len(segments(spool)) > 2
    assert first["first"].startswith("2026-01-01T00:00:00")
    assert first["last"].startswith("2026-01-01T00:00:11")
    assert first["oldest"] > 1_000_000
    assert (second["topic"], second["backlog"]) == ("u", 2)
    text = invoke("spool", "status").stdout.splitlines()
    assert len(text) == 3
    assert text[0].split("\t")[:2] == ["folder", "topic"]


def test_status_after_a_part_was_shipped(invoke: Invoke, spool: Path) -> None:
    log_id = json.loads((spool / "t" / "folder.json").read_text())["log_id"]
    position = sum(len(line) for line in segments(spool)[0].read_bytes().splitlines(keepends=True)[:2])
    (spool / "t" / f"shipped-{log_id}").write_text(f"{position:020d} {position:020d}\n")
    (spool / "t" / f"trouble-{log_id}.json").write_text('{"error": "the broker is away", "since": 1000}')
    (state,) = states(invoke)
    assert (state["shipped"], state["backlog"]) == (position, 10)
    assert (state["error"], state["error_since"][:19]) == ("the broker is away", "1970-01-01T00:16:40")


def test_nothing_was_spooled(refused: Refused, invoke: Invoke, tmp_path: Path) -> None:
    refused(["spool", "status"], 4, "no folder spool", "OYEZ_SPOOL")
    (tmp_path / "spool").mkdir()
    assert states(invoke) == []


def verified(invoke: Invoke, *, code: int = 0) -> dict[str, Any]:
    result = invoke("spool", "verify", "--json")
    assert result.exit_code == code, result.output
    (found,) = json.loads(result.stdout)
    return dict(found)


def archive(segment: Path) -> Path:
    (segment.parent / "archive").mkdir(exist_ok=True)
    packed = segment.parent / "archive" / f"{segment.name}.gz"
    packed.write_bytes(gzip.compress(segment.read_bytes()))
    segment.unlink()
    return packed


def test_a_whole_log_is_verified_archived_segments_too(invoke: Invoke, spool: Path) -> None:
    archive(segments(spool)[0])
    with segments(spool)[-1].open("ab") as file:
        file.write(b'{"specversion": "1.')
    found = verified(invoke)
    assert (found["problems"], found["events"], found["torn"]) == ([], 12, 19)


def test_what_is_damaged_is_named(invoke: Invoke, spool: Path) -> None:
    first, second, third, *_ = segments(spool)
    content = bytearray(first.read_bytes())
    content[5] = 0
    first.write_bytes(content)
    second.unlink()
    third.chmod(0o600)
    with third.open("ab") as file:
        file.write(b"{")
    (spool / "t" / "0001.ndjson").touch()
    packed = archive(segments(spool)[-2])
    packed.write_bytes(packed.read_bytes()[:-10])
    problems = "\n".join(verified(invoke, code=3)["problems"])
    for expected in (
        "0001.ndjson: this is no segment's name",
        f"{first.name}: at 0: it is not JSON",
        f"{third.name}: {len(content)} bytes before it are missing",
        "the line is not finished, and another segment follows",
        f"{packed.name}: it cannot be read",
    ):
        assert expected in problems
    assert f"{spool / 't'}: {first.name}: at 0" in invoke("spool", "verify").stdout


def test_a_log_that_cannot_be_read_does_not_hide_the_others(invoke: Invoke, spool: Path) -> None:
    """A link to itself stands for a file that only root may read, since the tests may be root."""
    shutil.copytree(spool / "t", spool / "u")
    for segment in segments(spool):
        segment.unlink()
    log_id = "0" * 32
    link = spool / "t" / f"{0:020d}-20260101T000000Z-{log_id}.ndjson"
    link.symlink_to(link)
    result = invoke("spool", "status", "--json")
    assert result.exit_code == 1
    assert [state["path"] for state in json.loads(result.stdout)] == [str(spool / "u")]
    assert f"{link} cannot be read: Too many levels of symbolic links" in result.stderr


def test_a_line_that_is_nested_too_deep_is_named(invoke: Invoke, tmp_path: Path, spool: Path) -> None:
    where = sum(segment.stat().st_size for segment in segments(spool))
    Writer(spool / "t", "t", fsync="never").append(DEEP)
    assert [state["last"] for state in states(invoke)] == [None]
    (problem,) = verified(invoke, code=3)["problems"]
    assert f"at {where}: it is not JSON" in problem
    assert invoke("spool", "cat", "--from", "2026-01-01T00:00:12Z").stdout == ""


def test_a_mark_that_cannot_be_read_is_a_problem(invoke: Invoke, spool: Path) -> None:
    log_id = json.loads((spool / "t" / "folder.json").read_text())["log_id"]
    (spool / "t" / f"shipped-{log_id}").mkdir()
    assert verified(invoke, code=3)["problems"] == [f"shipped-{log_id}: it cannot be read: Is a directory"]


@pytest.mark.parametrize("content", ["{", "[]", '{"topic": "t"}'])
def test_a_damaged_identity_is_a_problem_and_the_segments_are_read_all_the_same(
    invoke: Invoke, spool: Path, content: str
) -> None:
    (spool / "t" / "folder.json").write_text(content)
    found = verified(invoke, code=3)
    assert "folder.json is damaged" in found["problems"][0]
    assert (len(found["problems"]), found["events"]) == (1, 12)


def test_a_mark_beyond_the_end_is_a_problem(invoke: Invoke, spool: Path) -> None:
    log_id = json.loads((spool / "t" / "folder.json").read_text())["log_id"]
    (spool / "t" / f"shipped-{log_id}").write_text(f"{10**9:020d} {10**9:020d}\n")
    assert "was shipped, but the log ends at" in verified(invoke, code=3)["problems"][0]


def printed(invoke: Invoke, *arguments: str) -> list[int]:
    result = invoke("spool", "cat", *arguments)
    assert result.exit_code == 0, result.output
    return [json.loads(line)["n"] for line in result.stdout.splitlines()]


def test_cat_prints_from_a_position_or_a_time_or_one_segment(invoke: Invoke, spool: Path) -> None:
    archive(segments(spool)[0])
    assert printed(invoke) == list(range(12))
    assert printed(invoke, "--limit", "5") == [0, 1, 2, 3, 4]
    line = len(
        gzip.decompress(next((spool / "t" / "archive").glob("*.gz")).read_bytes()).splitlines(keepends=True)[
            0
        ]
    )
    assert printed(invoke, "--from", str(line)) == list(range(1, 12))
    assert printed(invoke, "--from", "2026-01-01T00:00:09Z") == [9, 10, 11]
    assert printed(invoke, "--from", "1h") == []
    name = segments(spool)[-1].name
    assert printed(invoke, "--segment", name[:20])[-1] == 11


def test_cat_refuses_what_it_cannot_mean(refused: Refused, spool: Path) -> None:
    refused(["spool", "cat", "--from", "soon"], 2, "--from soon", "10m")
    refused(["spool", "cat", "--follow", "--limit", "3"], 2, "--follow")
    refused(["spool", "cat", "--segment", "9"], 4, "no segment begins with 9")


def test_drain_ships_and_says_so(
    invoke: Invoke, spool: Path, kafka: str, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OYEZ_KAFKA", kafka)
    spooled(spool, 5, topic=topic)
    result = invoke("spool", "ship", str(spool / topic))
    assert (result.exit_code, result.stderr.strip()) == (0, "oyez: 5 events shipped")
    assert [
        json.loads(m.value())["n"] for m in sorted(records(kafka, topic, 5), key=lambda m: m.offset())
    ] == [
        0,
        1,
        2,
        3,
        4,
    ]
    assert "0 events shipped" in invoke("spool", "ship", str(spool / topic)).stderr
    assert {state["topic"]: state["backlog"] for state in states(invoke)} == {"t": 12, topic: 0}


def test_drain_without_a_broker(refused: Refused, spool: Path) -> None:
    refused(["spool", "ship", "--kafka", "127.0.0.1:1"], 5, "Kafka at 127.0.0.1:1 cannot be reached")


def test_status_of_groups_says_what_waits_in_the_spool(invoke: Invoke, spool: Path) -> None:
    assert invoke("db", "upgrade").exit_code == 0
    text = invoke("status", "--no-lag").stdout
    assert "spool backlog\t12\n" in text
    assert "spool oldest\t" in text
    assert json.loads(invoke("status", "--no-lag", "--json").stdout)[0]["spool_backlog"] == 12


def test_announce_goes_to_the_spool_when_kafka_is_away(
    invoke: Invoke, spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OYEZ_FLUSH_TIMEOUT", "0.3")
    arguments = ["announce", "cli.ticked", "-d", "{}", "--kafka", "127.0.0.1:1"]
    result = invoke(*arguments, "--topic", "away")
    assert result.exit_code == 0, result.output
    assert states(invoke, str(spool / "away"))[0]["backlog"] == 1


def test_status_of_groups_says_which_part_of_the_spool_cannot_be_read(invoke: Invoke, spool: Path) -> None:
    assert invoke("db", "upgrade").exit_code == 0
    identity = spool / "other" / "folder.json"
    identity.parent.mkdir()
    identity.symlink_to(identity)  # nobody may read it, not even root
    result = invoke("status", "--no-lag")
    assert result.exit_code == 0
    assert "spool backlog\t12\n" in result.stdout
    assert f"spool error\tthe spool cannot be read: {identity}: Too many levels" in result.stdout


def test_a_log_that_was_archived_as_a_whole_since_it_was_found_has_a_state(spool: Path) -> None:
    (folder,) = found_in([spool], "t")
    for segment in segments(spool):
        archive(segment)
    state = state_of(folder, time.time())
    assert (state.backlog, state.archived) == (0, state.segments)


def test_cat_says_once_what_is_missing_and_goes_on(invoke: Invoke, spool: Path) -> None:
    first, second, third, *_ = segments(spool)
    size = second.stat().st_size
    at, following = (int(segment.name.partition("-")[0]) for segment in (second, third))
    second.unlink()
    done = invoke("spool", "cat")
    assert done.exit_code == 0
    assert len(done.stdout.splitlines()) < 12
    assert f"{spool / 't'}: {size} bytes are missing at {at}; it goes on at {following}" in done.stderr
    assert done.stderr.count("are missing") == 1
    for arguments in (("--segment", first.name[:20]), ("--from", str(following))):
        assert "missing" not in invoke("spool", "cat", *arguments).stderr
