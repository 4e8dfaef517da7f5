"""docs/a-night.md as it is written: 300 dead letters of three kinds are found, explained, and handled after all."""

from __future__ import annotations

import re
import sqlite3
import subprocess
from pathlib import Path

from support.pages import ROOT, block, plain_environment, written

PAGE = ROOT / "docs" / "a-night.md"


def run(folder: Path, *names: str) -> str:
    """What blocks of commands print, one after the other in one shell."""
    done = subprocess.run(
        ["sh", "-ec", "\n".join(block(PAGE, name) for name in names)],
        cwd=folder,
        env=plain_environment(OYEZ_APP="shop:on"),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_night_is_as_it_is_written(tmp_path: Path) -> None:
    written(PAGE, tmp_path, "shop.py", "announce.py")
    run(tmp_path, "evening", "doctor")
    groups = run(tmp_path, "status", "groups")
    shown = re.findall(r"^(\d+) +invoice +order.placed +failed +(\S.*)$", PAGE.read_text(), re.MULTILINE)
    assert len(shown) == 3
    for count, error in shown:
        assert re.search(
            rf"^{count}\tinvoice\torder.placed\tfailed\t{re.escape(error)}\t", groups, re.MULTILINE
        )
    example = run(tmp_path, "example")
    assert "dead since" in example
    assert "TAX[event.country]" in example
    (tmp_path / "shop.py").write_text(block(PAGE, "mended.py"))
    assert "invoice (shop.order.placed): done" in run(tmp_path, "example", "one")
    assert run(tmp_path, "all").count("invoice\t") == 0
    assert "order.placed" in run(tmp_path, "again")
    with sqlite3.connect(tmp_path / "oyez.db") as db:
        ((count, different, swiss),) = db.execute(
            "SELECT COUNT(*), COUNT(DISTINCT number), SUM(number = 'o100' AND tax = 80) FROM invoice"
        )
    assert (count, different, swiss) == (1000, 1000, 1)
