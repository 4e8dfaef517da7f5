"""Where a setting was given to this command: by an option after it or before it, or by the program around it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import typer

from .options import given

if TYPE_CHECKING:
    from ...reports import SettingState

PROGRAM = "oyez.program"
"""Under it the context keeps where the program around has its settings."""
_NAMES = {"application": "app"}
"""What an option before the command calls a setting, if not as it is called."""


def states_of(context: typer.Context, flags: Mapping[str, Any]) -> list[SettingState]:
    """What is set, for a command with these ``flags`` of its own. Raises `SettingsError` for a file that is no TOML."""
    from ...reports import setting_states  # noqa: PLC0415 # pydantic is for commands that are run

    values = given(**{**(context.obj or {}), **given(**flags)})
    return setting_states(values, _places_of(context, flags))


def _places_of(context: typer.Context, flags: Mapping[str, Any]) -> dict[str, str]:
    """The place of each setting that was given, by its name; ``flags`` are the command's own."""
    before = {_NAMES.get(name, name): value for name, value in context.find_root().params.items()}
    around: Mapping[str, Any] = context.obj or {}
    by_program = dict.fromkeys(around, context.meta.get(PROGRAM, "given to this process"))
    by_option = {
        name: f"the option --{'spool' if name == 'spools' else name.replace('_', '-')}"
        for name, value in [*before.items(), *flags.items()]
        if value is not None and value != [] and (name in around or name in flags)
    }
    return {**by_program, **by_option}
