"""How far an import has come, and how that is shown."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

from rich.console import Console

from visits import screen
from visits.progress import Lines, Progress

AT_WORK = Progress(announced=1000, handled=900, parked=7, ever_parked=40, released=33, dead=0, lag=12)


def test_deliveries_are_two_for_each_event() -> None:
    assert AT_WORK.parked_delivery == 0.02
    assert Progress().parked_delivery == 0


def test_it_is_settled_when_nothing_is_unread_and_nothing_parked() -> None:
    assert Progress(announced=3, dead=1).settled
    assert not Progress(lag=1).settled
    assert not Progress(parked=1).settled
    assert not Progress(unsent=1).settled


def test_the_lines_of_a_growing_file_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "notes"
    lines = Lines(path)
    assert lines.count() == 0
    path.write_text("one\ntwo")
    assert lines.count() == 1
    path.write_text("one\ntwo\nthree\n")
    assert lines.count() == 3


def test_off_a_terminal_a_line_is_printed_now_and_then() -> None:
    out, now = StringIO(), [0.0]
    watch = screen.lines(Console(file=out), lambda: now[0])
    for moment in (0.0, 1.0, 2.5):
        now[0] = moment
        watch(AT_WORK)
    for _ in range(2):
        watch(Progress(announced=1000, handled=1000))
    assert out.getvalue().splitlines() == [
        "announced 1000, handled 900, parked 7, released 33, dead 0, lag 12",
        "announced 1000, handled 1000, parked 0, released 0, dead 0, lag 0",
    ]


def test_on_a_terminal_a_table_is_kept_up_to_date() -> None:
    out = StringIO()
    with screen.shown(Console(file=out, force_terminal=True, width=80)) as watch:
        watch(AT_WORK)
    for shown in ("announced", "released", "1,000", "lag"):
        assert shown in out.getvalue()
