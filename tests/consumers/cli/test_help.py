"""What the help shows: panels that have every command, and examples that the commands take."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from functools import cache
from itertools import chain
from typing import Any

import pytest
import typer
from rich.markup import escape
from typer.core import TyperGroup

from consumers.cli.conftest import Invoke
from oyez.consumers.cli.examples import EXAMPLES, FIRST, epilog_of
from oyez.consumers.cli.listing import COMMANDS, GROUPS
from oyez.consumers.cli.loading import WhenRun
from oyez.consumers.cli.panels import PANELS
from oyez.consumers.cli.program import app

NAMES = [*COMMANDS, *(f"{group.name} {name}" for group in GROUPS for name in group.commands)]


def commands_in(line: str) -> Iterator[list[str]]:
    """The arguments of each `oyez` in a line for a shell."""
    words: list[str] = []
    split = shlex.shlex(line, posix=True, punctuation_chars=True)
    split.whitespace_split = True
    for word in chain(split, ["&&"]):
        if word.strip("&|;>"):
            words.append(word)
            continue
        if words[:1] == ["oyez"]:
            yield words[1:]
        words = []


@cache
def program() -> TyperGroup:
    """One for all tests here: what its options take is worked out once."""
    found = typer.main.get_command(app)
    assert isinstance(found, TyperGroup)
    return found


loaded = cache(WhenRun.loaded)


def parsed(arguments: list[str]) -> str:
    """The command that these arguments are for, once it has taken them."""
    command: Any = program()
    context = command.make_context("oyez", arguments)
    while isinstance(command, TyperGroup):
        left = [*context._protected_args, *context.args]
        name, command, left = command.resolve_command(context, left)
        if isinstance(command, WhenRun):
            command = loaded(command)
        context = command.make_context(name, left, parent=context)
    return context.command_path.partition(" ")[2]


def test_every_command_is_in_one_panel_and_has_examples() -> None:
    """A new one gets a place in cli/panels.py, and lines in cli/examples.py."""
    listed = [name for names in PANELS.values() for name in names]
    assert sorted(listed) == sorted([*COMMANDS, *(group.name for group in GROUPS)])
    assert sorted(EXAMPLES) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_command_takes_its_examples(name: str, invoke: Invoke) -> None:
    found = [parsed(arguments) for line in EXAMPLES[name] for arguments in commands_in(line)]
    assert name in found
    for line in EXAMPLES[name]:
        assert len(line) <= 76, f"it is folded on a terminal of 80 columns: {line}"
        assert escape(line) == line, f"it is taken for markup: {line}"


def test_the_first_examples_are_taken_too(invoke: Invoke) -> None:
    found = [parsed(arguments) for line in FIRST for arguments in commands_in(line)]
    assert found == ["init", "doctor", "listen", "status"]


def test_an_example_that_is_none_is_found_out(invoke: Invoke) -> None:
    with pytest.raises(Exception, match="No such option"):
        parsed(["dead", "retry", "--spped", "5/s"])


@pytest.mark.parametrize("name", [None, "retry", "signals", "announce", "dead retry"])
def test_help_ends_with_examples(name: str | None, invoke: Invoke) -> None:
    said = invoke(*(name or "").split(), "--help").stdout
    wanted = list(FIRST) if name is None else epilog_of(name).split("\n\n")
    assert len(wanted) > 1
    for line in wanted:
        assert f" {line} " in said


def test_panels_stand_in_the_order_of_the_work(invoke: Invoke) -> None:
    said = invoke("--help").stdout
    places = [said.index(f" {panel} ─") for panel in PANELS]
    assert places == sorted(places)
    assert "─ Commands ─" not in said


def test_a_group_lists_the_options_of_the_command_that_is_meant_without_a_name(invoke: Invoke) -> None:
    (group,) = (group for group in GROUPS if group.usual is not None)
    usual = loaded(WhenRun("list", group.commands["list"]))
    options = {option for one in usual.params for option in one.opts if option.startswith("--")}
    assert (group.name, group.usual) == ("signals", "list")
    assert options > {"--json", "--json-schema", "--asyncapi"}
    said = invoke("signals", "--help").stdout
    assert {option for option in options if f" {option} " not in said} == set()
