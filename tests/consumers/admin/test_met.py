"""`oyez met`: what was handled before anything was recorded."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from consumers.admin.cafe_commands import Cafe
from oyez.consumers.cli import app
from oyez.consumers.database import releasing

RECORDED = {"recorded": 0, "met_already": 0, "released": 0, "revived": 0, "may_be_more": False}


def seated(cafe: Cafe) -> list[str]:
    found = cafe.pipeline.rows("prerequisite", "subject", "met_at")
    return [subject for subject, met_at in found if met_at is not None]


def paid(cafe: Cafe, *tables: str) -> None:
    cafe.handle(*(cafe.module.Paid(table=table, n=n) for n, table in enumerate(tables)))


def test_what_waits_is_released_and_what_died_is_revived(cafe: Cafe) -> None:
    paid(cafe, "old")
    cafe.all_die()
    paid(cafe, "old", "new", "other")
    cafe.handle(cafe.module.Seated(table="met"))
    (counts,) = cafe.json("met", "cafe.seated", "old", "new", "met", "new")
    assert counts == RECORDED | {"recorded": 2, "met_already": 1, "released": 2, "revived": 1}
    assert seated(cafe) == ["met", "new", "old"]
    cafe.today()
    assert sorted(cafe.pipeline.effects("thank")) == [0, 0, 1]
    assert [n for _, n, _ in cafe.pipeline.dead()] == [2]


def test_it_says_that_more_are_released_than_it_counts(cafe: Cafe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(releasing, "AT_ONCE", 2)
    paid(cafe, "a", "b", "c", "d")
    (counts,) = cafe.json("met", "cafe.seated", "d")
    assert counts == RECORDED | {"recorded": 1, "released": 1}
    told = cafe.call("met", "cafe.seated", "a", "b", "c")
    assert told.stdout.splitlines()[1] == "3\t0\t2\t0"
    assert "more may have waited for that than are counted" in told.stderr
    cafe.today()
    assert len(cafe.pipeline.effects("thank")) == 4


def test_so_it_does_of_what_died_waiting(cafe: Cafe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(releasing, "AT_ONCE", 2)
    paid(cafe, "a", "b", "c")
    cafe.all_die()
    (counts,) = cafe.json("met", "cafe.seated", "a", "b", "c")
    assert counts == RECORDED | {"recorded": 3, "revived": 2, "may_be_more": True}


def test_a_dry_run_records_nothing(cafe: Cafe) -> None:
    cafe.handle(cafe.module.Seated(table="met"))
    (counts,) = cafe.json("met", "cafe.seated", "a", "b", "met", "--dry-run")
    assert counts == {"to_record": 2, "met_already": 1}
    assert seated(cafe) == ["met"]


def test_many_from_a_file(cafe: Cafe, tmp_path: Path) -> None:
    file = tmp_path / "tables"
    file.write_bytes("\n".join(f"table {n}\r" for n in range(1_300)).encode() + b"\n\n")
    (counts,) = cafe.json("met", "cafe.seated", f"@{file}", "one more")
    assert counts["recorded"] == 1_301
    (counts,) = cafe.json("met", "cafe.seated", f"@{file}")
    assert counts == RECORDED | {"met_already": 1_300}


def test_from_stdin(cafe: Cafe) -> None:
    result = CliRunner().invoke(app, ["met", "cafe.seated", "-"], input="a\nb\n")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == ["recorded\tmet already\treleased\trevived", "2\t0\t0\t0"]
    assert seated(cafe) == ["a", "b"]


@pytest.mark.parametrize("bad", ["x" * 251, "a\0b"], ids=["long", "NUL"])
def test_a_bad_subject_is_refused_by_its_line_before_anything_is_done(
    cafe: Cafe, tmp_path: Path, bad: str
) -> None:
    file = tmp_path / "tables"
    file.write_text(f"good\n{bad}\n")
    assert f"@{file}, line 2" in cafe.refused(2, "met", "cafe.seated", f"@{file}")
    assert seated(cafe) == []


def test_what_cannot_be_met(cafe: Cafe) -> None:
    assert "cafe.none" in cafe.refused(4, "met", "cafe.none", "a")
    assert "cafe.paid has no subject" in cafe.refused(2, "met", "cafe.paid", "a")
    assert "no such file" in cafe.refused(4, "met", "cafe.seated", "@nowhere")
