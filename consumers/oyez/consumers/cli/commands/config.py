"""`oyez config show`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from oyez.schemas.nearest import did_you_mean

from ...reports import SettingState
from ..common import completing, output
from ..common.bundles import Bundle, taking
from ..common.errors import CheckFailed, NotFound
from ..common.options import SETTINGS, Json
from ..common.places import states_of

COLUMNS = (
    output.Column("setting", lambda row: row.variable, whole=True),
    output.Column("value", lambda row: _text(row.value)),
    output.Column("from", lambda row: row.where or row.origin),
    output.Column("problem", lambda row: row.problem),
)


def _states(context: typer.Context, **flags: Any) -> list[SettingState]:
    return states_of(context, flags)


_FLAGS = ("app", "kafka", "topic", "database", "transport", "spools", "source")
STATES = Bundle("states", {name: SETTINGS[name] for name in _FLAGS}, _states)


@taking(STATES)
def config_show(
    *,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SETTING]...",
            help="Names, such as topic or OYEZ_TOPIC; all if none is given.",
            autocompletion=completing.settings,
        ),
    ] = None,
    only_set: Annotated[bool, typer.Option("--set", help="Leave out what has its default.")] = False,
    as_json: Json = False,
    states: list[SettingState],
) -> None:
    """Show each setting: its value, and where that comes from. Passwords and other secrets are not shown.

    Exit code 3 if a value is wrong, or oyez.toml has a name that is no setting.
    """
    rows = [row for row in _chosen(states, names or []) if not only_set or row.origin != "default"]
    if as_json:
        output.json_array(output.as_dict(row) for row in rows)
    else:
        output.table(rows, COLUMNS, empty="nothing is set: all settings have their defaults")
    wrong = [row for row in rows if row.is_wrong]
    if wrong:
        raise CheckFailed("; ".join(f"{row.where or row.variable}: {row.problem}" for row in wrong))


def _chosen(states: Sequence[SettingState], names: Sequence[str]) -> list[SettingState]:
    """Those that are named, in the order in which they are; all if none is. Raises `NotFound`."""
    if not names:
        return list(states)
    by_name: Mapping[str, SettingState] = {row.name: row for row in states}
    wanted = [name.lower().replace("-", "_").removeprefix("oyez_") for name in names]
    for said, name in zip(names, wanted, strict=True):
        if name not in by_name:
            raise NotFound(f"there is no setting {said}{did_you_mean(name, by_name)}")
    return [by_name[name] for name in wanted]


def _text(value: object) -> str | None:
    """A value as it would be written in the environment."""
    return value if value is None or isinstance(value, str) else output.json_text(value)
