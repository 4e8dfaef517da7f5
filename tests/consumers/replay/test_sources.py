"""What a spool has is read whole, also while its segments are archived; what is missing is named."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from oyez.consumers.replay.choosing import Wanted, chosen, look
from oyez.consumers.replay.sources import Kept, Missing, SpoolSource
from oyez.producers.spool import Writer, found_in
from oyez.producers.spool.retiring import retire


def event(number: int) -> bytes:
    return f'{{"specversion":"1.0","type":"t","source":"s","id":"{number}","data":{{}}}}'.encode()


LINE = len(event(0)) + 1


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    """A log of six events, a segment each."""
    with closing(Writer(tmp_path / "t", "t", segment_bytes=1)) as writer:
        for number in range(6):
            writer.append(event(number))
    return tmp_path / "t"


def source(spool: Path) -> SpoolSource:
    return SpoolSource(found_in([spool], "t"))


def numbers(source: SpoolSource, since: float | None = None) -> list[int | str]:
    """The events, and what is said to be missing."""
    return [
        one.says if isinstance(one, Missing) else int((one.value or b"").split(b'"id":"')[1].split(b'"')[0])
        for one in source.read(since)
    ]


def segment(spool: Path, number: int) -> Path:
    return sorted(spool.glob("*.ndjson"))[number]


def removed(path: Path) -> None:
    path.unlink()


def cut(path: Path) -> None:
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content[:10])


def damaged(path: Path) -> None:
    archived = path.parent / "archive" / f"{path.name}.gz"
    archived.parent.mkdir()
    archived.write_bytes(gzip.compress(path.read_bytes())[:15])
    path.unlink()


@pytest.mark.parametrize("harm", [removed, cut, damaged])
@pytest.mark.parametrize("number", [0, 2])
def test_what_is_missing_is_named_where_it_would_be(
    spool: Path, number: int, harm: Callable[[Path], None]
) -> None:
    found = source(spool)
    harm(segment(spool, number))
    read = numbers(found)
    said = read.pop(number)
    assert isinstance(said, str)
    assert f"{spool}: {LINE} bytes from position {number * LINE} on cannot be read" in said
    assert read == [n for n in range(6) if n != number]


@pytest.mark.parametrize("retention", ["archive", "delete"])
def test_segments_that_go_while_it_is_read(spool: Path, retention: str) -> None:
    """A slow replay: what was archived is read from there, and what was deleted is told."""
    found = source(spool)
    (folder,) = found_in([spool], "t")
    seen = look(found, Wanted())
    assert seen.missing == []
    events = chosen(found, Wanted(), seen)
    assert next(events).event.id == "0"
    retire(folder, 4 * LINE, retention)  # type: ignore[arg-type]
    ids = [one.event.id for one in events]
    assert ids == (["1", "2", "3", "4", "5"] if retention == "archive" else ["4", "5"])
    assert seen.missing == (
        []
        if retention == "archive"
        else [
            f"{spool}: {3 * LINE} bytes from position {LINE} on cannot be read: not copied, removed or damaged"
        ]
    )
    again = [one for one in found.read(None) if isinstance(one, Kept)]
    assert len(again) == (6 if retention == "archive" else 2)


def test_a_folder_that_has_gone_is_missing_whole(spool: Path) -> None:
    found = source(spool)
    spool.rename(spool.with_name("elsewhere"))
    (said,) = numbers(found)
    assert f"{6 * LINE} bytes from position 0 on" in str(said)


def test_a_line_that_is_not_finished_was_announced_by_nobody(spool: Path) -> None:
    path = segment(spool, 5)
    with path.open("ab") as file:
        file.write(b'{"torn"')
    assert numbers(source(spool)) == [0, 1, 2, 3, 4, 5]
