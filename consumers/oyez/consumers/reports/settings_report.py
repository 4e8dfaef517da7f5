"""What is set, and where: each setting with its value, without secrets, and with what is wrong with it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic.fields import FieldInfo

from oyez.producers.errors import SettingsError
from oyez.producers.settings import FILE, Settings, WrongValue
from oyez.producers.settings_file import read_settings_file, read_settings_text
from oyez.producers.settings_lines import lines_of
from oyez.producers.settings_masked import masked
from oyez.producers.settings_names import (
    OUTSIDE,
    PREFIX,
    classes_of_all,
    names_of_all,
    no_setting,
    no_setting_in_file,
    unknown_variables,
    without_links,
)

Origin = Literal["default", "inferred", "file", "environment", "given"]
"""Where a value is from. ``inferred``: nobody has said it, and it follows from other settings."""


@dataclass(frozen=True)
class SettingState:
    """A setting as it is in force. ``name`` is its name in a file, ``variable`` that in the environment; ``value`` has
    types of JSON, and no secrets; ``where`` is the place in which it is set, None for a default. ``problem`` is what is
    wrong, in one line; with ``is_wrong`` nothing starts, without it the name is merely none of Oyez's."""

    name: str
    variable: str
    value: Any
    origin: Origin
    where: str | None = None
    problem: str | None = None
    is_wrong: bool = False


@dataclass(frozen=True)
class _Said:
    """What is said of a setting in the place that counts."""

    value: Any
    origin: Origin
    where: str


def setting_states(
    given: Mapping[str, Any] | None = None, places: Mapping[str, str] | None = None, file: Path = FILE
) -> list[SettingState]:
    """Every setting of every class that is registered, then the names that are none. ``given`` are values that were
    given to this process and win over all others, by the names of fields; ``places`` says where each was, such as `the
    option --topic`. SettingsError: the file is not TOML, or cannot be read."""
    read = read_settings_file(file)
    lines = lines_of(read_settings_text(file)) if read else {}
    said = _said(given or {}, places or {}, read, lines, file)
    seen: set[str] = set()
    states = [state for kind in classes_of_all() for state in _of_class(kind, given or {}, said, seen)]
    return states + list(_unknown(read, lines, file))


def _said(
    given: Mapping[str, Any],
    places: Mapping[str, str],
    read: Mapping[str, Any],
    lines: Mapping[str, int],
    file: Path,
) -> dict[str, _Said]:
    """By the outside name, the last word on each setting that somebody has said."""
    by_file = {name: _Said(value, "file", _in_file(file, lines, name)) for name, value in read.items()}
    by_environment = {
        name[len(PREFIX) :].lower(): _Said(value, "environment", f"{name} in the environment")
        for name, value in without_links(os.environ).items()
        if name.upper().startswith(PREFIX)
    }
    by_hand = {
        OUTSIDE.get(name, name): _Said(value, "given", places.get(name, "given to this process"))
        for name, value in given.items()
    }
    return {**by_file, **by_environment, **by_hand}


def _of_class(
    kind: Any, given: Mapping[str, Any], said: Mapping[str, _Said], seen: set[str]
) -> Iterator[SettingState]:
    values, problems = _in_force(
        kind, {name: one for name, one in given.items() if name in kind.model_fields}
    )
    for field, info in kind.model_fields.items():
        name = OUTSIDE.get(field, field)
        if name in seen:
            continue
        seen.add(name)
        here = said.get(name)
        value = values[field] if field in values else _unchecked(info, here)
        problem = problems.get(field)
        yield SettingState(
            name,
            f"{PREFIX}{name}".upper(),
            masked(info, value),
            _origin(info, value, here),
            None if here is None else here.where,
            problem,
            is_wrong=problem is not None,
        )


def _in_force(kind: type[Settings], given: Mapping[str, Any]) -> tuple[dict[str, Any], Mapping[str, str]]:
    """The values of a class, by field, and what is wrong by field; no values if something is."""
    try:
        return dict(kind(**given)), {}
    except WrongValue as error:
        return {}, error.problems
    except SettingsError:  # names in the file that are none: each has a line of its own
        return {}, {}


def _unchecked(info: FieldInfo, said: _Said | None) -> Any:
    return info.get_default(call_default_factory=True) if said is None else said.value


def _origin(info: FieldInfo, value: Any, said: _Said | None) -> Origin:
    if said is not None:
        return said.origin
    return "default" if value == info.get_default(call_default_factory=True) else "inferred"


def _unknown(read: Mapping[str, Any], lines: Mapping[str, int], file: Path) -> Iterator[SettingState]:
    """Names that are no settings. What is said of them is not shown: a misspelt password is one too."""
    for name in read:
        if name not in names_of_all():
            where = _in_file(file, lines, name)
            yield SettingState(
                name,
                f"{PREFIX}{name}".upper(),
                None,
                "file",
                where,
                no_setting_in_file(name, read[name]),
                True,
            )
    for variable in unknown_variables():
        where = f"{variable} in the environment"
        yield SettingState(
            variable.removeprefix(PREFIX).lower(), variable, None, "environment", where, no_setting(variable)
        )


def _in_file(file: Path, lines: Mapping[str, int], name: str) -> str:
    line = lines.get(name)
    return str(file) if line is None else f"{file}, line {line}"


def problems_of(states: Iterable[SettingState]) -> list[str]:
    """What is wrong with settings, a line for each."""
    return [
        f"{state.where or state.variable}: {state.problem}" for state in states if state.problem is not None
    ]
