"""Arguments that no database and no Kafka could be asked for are refused, whatever they are arguments of."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import NamedTuple, get_args

import pytest

from consumers.cli.conftest import Invoke
from oyez.consumers.cli.common.ages import moment_of
from oyez.consumers.cli.listing import COMMANDS, GROUPS
from oyez.consumers.core.numerals import MOST, name_or_number, number_of

NO_UTF8 = "a\udcff"
OUTSIDE = "Invalid value for '"  # or beyond the bounds of its own that it has
SIGNAL = "cli.session.started"
TOO_HIGH = "99999999999999999999"
Refused = Callable[..., None]


class Parameter(NamedTuple):
    """An option or argument of a command: its flag, if it has one, its values' type, whether it is required."""

    flag: str | None
    kind: type
    is_required: bool

    def given(self, value: str) -> list[str]:
        return [value] if self.flag is None else [self.flag, value]


def _commands() -> Iterator[tuple[list[str], list[Parameter]]]:
    """Every command, as it is called, with its parameters."""
    listed = [([name], one) for name, one in COMMANDS.items()]
    listed += [([group.name, name], one) for group in GROUPS for name, one in group.commands.items()]
    for name, one in listed:
        module, _, function = one.function.partition(":")
        command = getattr(import_module(f"oyez.consumers.cli.commands.{module}"), function)
        parameters = inspect.signature(command, eval_str=True).parameters.values()
        yield name, [_parameter(one) for one in parameters if one.name != "context"]


def _parameter(declared: inspect.Parameter) -> Parameter:
    annotation, said = get_args(declared.annotation)
    first = (get_args(annotation) or [annotation])[0]  # of list[str] | None, of list[str] or of str | None
    flag = said.default if isinstance(said.default, str) else None  # where typer has what is given first
    return Parameter(flag, (get_args(first) or [first])[0], declared.default is inspect.Parameter.empty)


def _calls(value: str, kind: type) -> Iterator[list[str]]:
    """Every command, once for each parameter of this kind, with the value, and all that is required besides."""
    for name, parameters in _commands():
        required = [one for one in parameters if one.is_required]
        for chosen in parameters:
            if chosen.kind is kind:
                others = [text for one in required if one is not chosen for text in one.given(_fit(one))]
                yield [*name, *others, *(["--"] if chosen.flag is None else []), *chosen.given(value)]


def _fit(parameter: Parameter) -> str:
    return SIGNAL if parameter.kind is str else "1"


@pytest.mark.parametrize(
    ("value", "kind", "words", "least"),
    [
        (NO_UTF8, str, "UTF-8", 100),
        (TOO_HIGH, int, OUTSIDE, 15),
        (f"-{TOO_HIGH}", int, OUTSIDE, 15),
        ("nan", float, OUTSIDE, 5),
        ("inf", float, OUTSIDE, 5),
        ("1e300", float, OUTSIDE, 5),
    ],
)
def test_every_parameter_of_every_command(
    invoke: Invoke, value: str, kind: type, words: str, least: int
) -> None:
    calls = list(_calls(value, kind))
    assert len(calls) > least
    wrong = []
    for arguments in calls:
        done = invoke(*arguments)
        lines = [line for line in done.stderr.splitlines() if line != "imported"]
        if done.exit_code != 2 or len(lines) != 1 or words not in lines[0] or done.stdout:
            wrong.append((arguments, done.exit_code, lines))
    assert not wrong


def test_before_the_command_too(refused: Refused) -> None:
    refused(["--topic", NO_UTF8, "db", "check"], 2, "--topic", "UTF-8")


@pytest.mark.parametrize("digits", [TOO_HIGH, "9" * 4_400, str(MOST + 1)])
@pytest.mark.parametrize("command", [["announce"], ["signals"], ["listen"], ["met"]])
def test_numbers_that_no_signal_has(refused: Refused, command: list[str], digits: str) -> None:
    refused([*command, digits, *(["s1"] if command == ["met"] else [])], 4, digits[:20])


@pytest.mark.parametrize("digits", [TOO_HIGH, "9" * 4_400])
def test_positions_that_no_log_has(refused: Refused, digits: str) -> None:
    refused(["spool", "cat", "--from", digits], 2, "--from", "write a position")
    refused(["rewind", "cli.ticked", "--to", digits], 2, "--to", "an offset")


def test_ages_of_any_length_are_times(invoke: Invoke) -> None:
    assert invoke("db", "upgrade").exit_code == 0
    for age in ("9" * 400 + "d", "99999999w"):
        assert moment_of(age, 1.7e9) == 0.0
        for command in (["retry", "list"], ["dead", "list"], ["mail", "list"]):
            for option in ("--older", "--newer"):
                assert invoke(*command, option, age).exit_code == 0
    assert moment_of("0001-01-01", 1.7e9) == 0.0


def test_the_highest_number() -> None:
    assert number_of(str(MOST)) == MOST
    assert number_of("007") == 7
    assert [number_of(text) for text in ("", "-1", "1.0", "²", "٣", str(MOST + 1))] == [None] * 6
    assert (name_or_number("page.viewed"), name_or_number("3")) == ("page.viewed", 3)
