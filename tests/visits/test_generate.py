"""The generated traffic: as asked, repeatable, and with what makes real logs hard."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from visits import accesslog
from visits.generate import write_log
from visits.sessions import steps_of, visits_of


def test_it_has_the_views_asked_for_and_the_odd_things_of_real_logs(tmp_path: Path) -> None:
    path = tmp_path / "generated.log"
    write_log(path, views=1000, seed=1, visitors=10)
    log = accesslog.read(path)
    steps = steps_of(log.views)
    visits = visits_of(steps).values()
    assert (len(log.views), log.unparsed) == (1000, 0)
    assert log.lines > 1200
    assert any(before.at > view.at for before, view in pairwise(log.views))
    assert len({view.at for view in log.views}) < 990
    assert len({visit.visitor_id for visit in visits}) < len(visits)
    assert any(visit.page_views > 5 for visit in visits)
    assert any("?" in visit.exit_page for visit in visits)


def test_one_seed_gives_one_log(tmp_path: Path) -> None:
    for name, seed in {"a": 7, "b": 7, "c": 8}.items():
        write_log(tmp_path / name, views=50, seed=seed)
    written = {name: (tmp_path / name).read_text() for name in "abc"}
    assert written["a"] == written["b"] != written["c"]
