"""Options that are none, and values that are none, of all commands of the listing: exit 2, and a line that says so."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
import typer

from consumers.cli.arguments import ENDING, line_of
from consumers.cli.conftest import Invoke
from oyez.consumers.cli.loading import WhenRun
from oyez.consumers.cli.program import app

WRITTEN = {"AGE", "TIME", "WHEN", "N/s", "N/min"}  # what these options take is text that the command reads


@cache
def program() -> Any:
    return typer.main.get_command(app)


def command_of(name: str) -> Any:
    found = program()
    for word in name.split():
        found = found.commands[word]
    assert isinstance(found, WhenRun)
    return found.loaded()


def refused(invoke: Invoke, line: list[str], *words: str) -> None:
    done = invoke(*line)
    said = [one for one in done.stderr.splitlines() if one != "imported"]
    assert (done.exit_code, len(said)) == (2, 1), (line, done.output)
    assert said[0].startswith("oyez: ")
    for word in words:
        assert word in said[0], line


@pytest.mark.parametrize("name", [*ENDING, "dev"])
def test_an_option_that_is_none(name: str, invoke: Invoke) -> None:
    refused(invoke, [*name.split(), "--no-such-option"], "--no-such-option")


@pytest.mark.parametrize("name", [*ENDING, "dev"])
def test_a_value_that_is_none(name: str, invoke: Invoke) -> None:
    """Of numbers and choices, which are read before anything else."""
    for option in command_of(name).params:
        kind = option.type_descriptor
        if option.param_type_name == "option" and (kind.is_choice or kind.annotation in (int, float)):
            refused(invoke, [*name.split(), option.opts[0], "none"], option.opts[0])


@pytest.mark.parametrize("name", ENDING)
def test_an_age_that_is_none(name: str, invoke: Invoke) -> None:
    for option in command_of(name).params:
        if WRITTEN & set((option.metavar or "").split("|")):
            line = [
                word for word in line_of(name) if word != "--from-beginning"
            ]  # it says the same as `--since`
            refused(invoke, [*line, option.opts[0], "none"], "none")
