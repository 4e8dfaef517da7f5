"""The runbook has a part for each line of faults.md, in the same order, and names what there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer

from docs_site.metrics_page import series
from oyez.consumers.cli.program import app

DOCS = Path(__file__).parent.parent / "docs"
RUNBOOK = (DOCS / "runbook.md").read_text()
PARTS = dict(re.findall(r"^## (.+)\n\n((?:(?!## ).*\n?)*)", RUNBOOK, re.MULTILINE))
SAYS = ("See", "Means", "Do", "Over")


def faults() -> list[str]:
    """The first cell of each line of the table."""
    table = (DOCS / "faults.md").read_text().split("|---|---|---|---|\n")[1].split("\n\n")[0]
    return [
        re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", row.split(" | ")[0].strip("| ")) for row in table.splitlines()
    ]


def test_each_fault_has_its_part() -> None:
    assert list(PARTS) == faults()


@pytest.mark.parametrize("title", PARTS)
def test_each_part_says_what_is_seen_what_it_means_what_to_do_and_when_it_is_over(title: str) -> None:
    assert tuple(re.findall(r"^- \*\*(\w+):\*\* \S", PARTS[title], re.MULTILINE)) == SAYS


def test_metrics_are_those_that_are_exported() -> None:
    named = set(re.findall(r"\boyez_\w+", RUNBOOK))
    assert {name for name in named if name not in series() and f"{name}_bucket" not in series()} == set()


@pytest.mark.parametrize("said", sorted(set(re.findall(r"`oyez ([^`]+)`", re.sub(r"\n +", " ", RUNBOOK)))))
def test_commands_and_their_options_are_there(said: str) -> None:
    command = typer.main.get_command(app)
    words = said.split()
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]
    assert not hasattr(command, "commands") or words == [], said
    loaded = command.loaded() if hasattr(command, "loaded") else command
    options = {option for parameter in loaded.params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= options
