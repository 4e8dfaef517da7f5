"""A benchmark in which an event was lost, or handled twice, stops and says so."""

from __future__ import annotations

import pytest

from support.benchmarks import run

SABOTAGE = {  # what the parts ask for what was handled
    "announce": "import arriving; of, name = arriving.Arrived, 'numbers'",
    "at-least-once": "import accounts; of, name = accounts.Notes, 'take'",
    "exact": "import listening; of, name = listening, 'effects'",
    "each": "import each; of, name = each, 'effects'",
    "disorder": "import accounts; of, name = accounts.Notes, 'take'",
    "spool": "import accounts; of, name = accounts.Notes, 'take'",
    "mail": "import mailing; of, name = mailing, '_taken'",
    "failures": "import failing; of, name = failing, 'effects'",
    "backlog": "import accounts; of, name = accounts.Notes, 'take'",
    "large": "import accounts; of, name = accounts.Notes, 'take'",
}
LOST = "real(*given)[1:]"
DOUBLED = "[*(found := real(*given)), *found[:1]]"


@pytest.mark.parametrize("part", SABOTAGE)
def test_what_is_doubled_stops_it(part: str, kafka: str, postgres_server: str) -> None:
    assert stopped(part, DOUBLED, kafka, postgres_server).endswith("0 lost, 1 handled more than once")


def test_what_is_lost_stops_it(kafka: str, postgres_server: str) -> None:
    said = stopped("spool", LOST, kafka, postgres_server)
    assert said == (
        "NOT ONCE  spool: spool: read and decode (read lines and validate them): "
        "of 300 events 1 lost, 0 handled more than once"
    )


def stopped(part: str, wrong: str, kafka: str, postgres: str) -> str:
    """The line that is said where a part is told that something else was handled than what was."""
    changed = f"real = getattr(of, name); setattr(of, name, lambda *given: {wrong})"
    done = run(part, kafka, postgres, SABOTAGE[part], changed)
    assert done.returncode == 1, done.stdout
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("NOT ONCE")]
    assert line.startswith(f"NOT ONCE  {part}: ")
    return line
