"""Where logs are found: also behind links, once each, and however many segments they have."""

from __future__ import annotations

from pathlib import Path

import pytest

from oyez.producers.spool import SegmentName, Writer, copies_in, found_in


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A topic's folder on another disk, to which the spool has a link; with an event that was announced through it."""
    folder = tmp_path / "disk" / "t"
    folder.mkdir(parents=True)
    (tmp_path / "spool").mkdir()
    (tmp_path / "spool" / "t").symlink_to(folder)
    writer = Writer(tmp_path / "spool" / "t", "t", fsync="never")
    writer.append(b"{}")
    writer.close()
    return folder


def test_what_is_announced_through_a_link_is_found(tmp_path: Path, elsewhere: Path) -> None:
    (found,) = found_in([tmp_path / "spool"], "t")
    assert found.topic == "t"
    assert found.path.resolve() == elsewhere


def test_a_link_that_leads_back_is_not_followed(
    tmp_path: Path, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (elsewhere / "up").symlink_to(tmp_path / "spool")
    (tmp_path / "spool" / "same").symlink_to(elsewhere)
    (tmp_path / "spool" / "nowhere").symlink_to(tmp_path / "gone")
    asked: list[str] = []
    monkeypatch.setattr("oyez.producers.spool.finding.SegmentName.parse", staticmethod(asked_of(asked)))
    assert len(found_in([tmp_path / "spool"], "t")) == 1
    assert len([name for name in asked if name.endswith(".ndjson")]) == 1, "it is looked into once"


def asked_of(asked: list[str]) -> object:
    """`SegmentName.parse`, which notes what it is asked."""
    parse = SegmentName.parse

    def note(text: str) -> SegmentName | None:
        asked.append(text)
        return parse(text)

    return note


def test_only_the_first_name_of_a_log_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each group that reads the spool looks for folders twice a second."""
    ids = ["a" * 32, "b" * 32]
    for n in range(50):
        for log_id in ids:
            (tmp_path / str(SegmentName(n, n, log_id))).touch()
    asked: list[str] = []
    monkeypatch.setattr("oyez.producers.spool.finding.SegmentName.parse", staticmethod(asked_of(asked)))
    assert sorted(copies_in([tmp_path], "t")) == ids
    assert len(asked) == 2


def test_a_segments_name_says_its_moment() -> None:
    name = SegmentName(5, 1_800_000_000, "c" * 32)
    assert SegmentName.parse(str(name)) == name
    assert SegmentName.parse(str(name).replace("2027011", "2027131")) is None
