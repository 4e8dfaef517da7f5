"""An empty value is what a script gives whose variable is not set: it never means all there is."""

from __future__ import annotations

import shlex

import pytest

from consumers.cli.arguments import ENDING, line_of
from consumers.cli.conftest import Invoke
from consumers.cli.test_every_option import command_of, refused
from consumers.cli.test_lists import filled, listed

__all__ = ["filled"]

OF_ALL = """
dead discard --yes --error ''
dead discard --yes --reason ''
dead discard --yes --handler ''
dead retry --yes --error ''
retry discard --yes --error ''
mail cancel --yes --to ''
mail purge --yes --error ''
scheduled cancel --yes --key ''
spool cat --segment ''
"""


@pytest.mark.parametrize("line", OF_ALL.strip().splitlines())
def test_no_option_that_chooses_is_empty(filled: Invoke, line: str) -> None:
    parked, dead = (listed(filled(table, "list", "--json")) for table in ("retry", "dead"))
    words = shlex.split(line)
    refused(filled, words, words[-2], "empty")
    assert [listed(filled(table, "list", "--json")) for table in ("retry", "dead")] == [parked, dead]


@pytest.mark.parametrize("name", [*ENDING, "dev"])
def test_of_all_commands(name: str, invoke: Invoke) -> None:
    """Of what is no setting, which may be set to nothing, and no file, which is read as what it is."""
    for option in command_of(name).params:
        is_text = option.type_descriptor.annotation is str and "@FILE" not in (option.metavar or "")
        if option.param_type_name == "option" and is_text and "[OYEZ_" not in (option.help or ""):
            line = line_of(name) if name in ENDING else [name]
            refused(invoke, [*line, option.opts[0], ""], option.opts[0], "empty")


@pytest.mark.parametrize(
    "command", ["listen", "pause", "resume", "explain", "timeline", "signals", "retry show"]
)
def test_of_arguments(command: str, invoke: Invoke) -> None:
    refused(invoke, [*command.split(), ""], "empty")


@pytest.mark.parametrize("where", ["", "spool:", "kafka:"])
def test_of_where_stored_events_are(where: str, invoke: Invoke) -> None:
    refused(invoke, ["replay", where, "--dry-run"], "where the events are")
