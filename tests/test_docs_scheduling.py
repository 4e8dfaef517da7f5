"""What docs/scheduling.md shows is run as it is written."""

from __future__ import annotations

import re
from pathlib import Path

from support.pages import ROOT, block, run_commands, written

PAGE = ROOT / "docs/scheduling.md"


def test_the_page_from_its_first_block_to_its_last(tmp_path: Path) -> None:
    written(PAGE, tmp_path, "shop.py", "later.py", "expiring.py")
    looking = "\n".join(block(PAGE, name) for name in ("commands", "looking"))
    found = run_commands(looking, tmp_path)
    scheduled = [line.split("\t")[1:3] for line in found.splitlines() if line.startswith("20")]
    assert scheduled == [["trial.ending", "7"], ["offer.ended", "3"], ["trial.ending", "7"]]
    assert found.endswith("matched\n1\n")
    rest = "\n".join(["export OYEZ_APP=shop:on", *(block(PAGE, name) for name in ("cancel one", "expired"))])
    said = run_commands(rest, tmp_path)
    assert said.startswith("matched\tcanceled\n1\t1\n")
    assert re.search(r"^shop\.price\.changed\t2\t0\t0\t0\t0\t1$", said, re.MULTILINE)
