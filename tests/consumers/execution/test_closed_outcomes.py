"""The outcomes of deliveries are a closed set: one that nobody knows is refused before anything is written of it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, get_args

import pytest
from sqlalchemy.orm import Session

import oyez.consumers
from consumers.pipeline import Placed, Play, note
from oyez.consumers import Handlers
from oyez.consumers.core import outcomes
from oyez.consumers.core.outcomes import Outcome

ROOM = Path(oyez.consumers.__file__ or "").parent
MADE_UP = '''
@dataclass(frozen=True, slots=True)
class Puzzled:
    """Made up."""

    has_run: ClassVar[bool] = True
    holds_key: ClassVar[bool] = True
    completes: ClassVar[bool] = False
    is_final: ClassVar[bool] = False


Outcome = Puzzled | '''


@dataclass(frozen=True, slots=True)
class Puzzled:
    """An outcome that is in no list."""

    has_run: ClassVar[bool] = True
    holds_key: ClassVar[bool] = True
    completes: ClassVar[bool] = False
    is_final: ClassVar[bool] = False


def matching() -> set[str]:
    """The files in which outcomes are matched, each until nothing is left."""
    sources = {path.name: path.read_text() for path in (ROOM / "execution").glob("*.py")}
    return {name for name, text in sources.items() if "assert_never(outcome)" in text}


def test_every_outcome_says_what_follows_from_it() -> None:
    for one in get_args(Outcome):
        assert {"has_run", "holds_key", "completes", "is_final"} <= set(dir(one)), one


def test_a_made_up_outcome_is_refused_by_mypy(tmp_path: Path) -> None:
    """Wherever outcomes are told apart, a new one is missed by name."""
    source = Path(outcomes.__file__ or "")
    shadow = tmp_path / "outcomes.py"
    shadow.write_text(source.read_text().replace("\nOutcome = ", MADE_UP, 1))
    assert "class Puzzled" in shadow.read_text()
    modules = [f"-moyez.consumers.execution.{name.removesuffix('.py')}" for name in sorted(matching())]
    command = [sys.executable, "-m", "mypy", "--strict", f"--cache-dir={tmp_path / 'cache'}", *modules]
    done = subprocess.run(
        [*command, "--shadow-file", str(source), str(shadow)],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )
    refused = [line for line in done.stdout.splitlines() if 'incompatible type "Puzzled"' in line]
    assert {Path(line.partition(":")[0]).name for line in refused} == matching() != set(), done.stdout


@pytest.mark.parametrize("with_database", [True, False])
def test_a_made_up_outcome_loses_nothing(
    with_database: bool, play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The transaction fails as a whole: position and inbox are as before, and the event is read again."""
    on = Handlers("shop")

    def inside(event: Placed, db: Session) -> None:
        note(db, "done", event.n)
        raise ValueError(event.n)

    def outside(event: Placed) -> None:
        raise ValueError(event.n)

    on(Placed, name="puzzling")(inside if with_database else outside)
    pipeline = play(on)
    pipeline.run()
    pipeline.announce(Placed(n=1))
    with monkeypatch.context() as patched:
        patched.setattr("oyez.consumers.execution.attempt.outcome_of", lambda _error: Puzzled())
        with pytest.raises(AssertionError, match="Puzzled"):
            pipeline.run()
    assert pipeline.is_clean()
    assert pipeline.rows("inbox") == []
    assert pipeline.rows("position", "position") == [0]
    pipeline.replace("shop.placed")
    pipeline.run()
    assert [(handler, n) for handler, n, _ in pipeline.parked()] == [("puzzling", 1)]
