"""Where logs of the spool are looked for when something else is in the place of this process's own one."""

from __future__ import annotations

from pathlib import Path

import pytest

from oyez.consumers import ListenSettings
from oyez.consumers.logs.spool.folders import ReadableLogs, spools_read
from oyez.producers.spool import SpoolError, Writer


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """A spool of another process, with an event."""
    writer = Writer(tmp_path / "other" / "t", "t", fsync="never")
    writer.append(b"{}")
    writer.close()
    return tmp_path / "other"


def test_a_file_that_nobody_has_set_is_none_of_them(
    tmp_path: Path, other: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "spool").touch()
    assert spools_read(ListenSettings(spools=[other])) == [other]
    with pytest.raises(SpoolError, match="is no folder"):
        spools_read(ListenSettings())


def test_a_file_where_this_processs_spool_is_set_to_be_holds_up_no_other(
    tmp_path: Path, other: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    settings = ListenSettings(spool=tmp_path / "file", spools=[other], topic="t")
    with pytest.raises(SpoolError, match="is no folder"):
        spools_read(settings)
    find = ReadableLogs(settings)
    assert [[folder.path for folder in find()] for _ in range(2)] == [[other / "t"]] * 2
    assert caplog.text.count("is no folder") == 1
