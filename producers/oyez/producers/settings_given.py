"""Settings that an application keeps in a configuration of its own, such as a framework's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from .errors import SettingsError
from .settings import Settings
from .settings_names import names_of, refuse_unknown

Kind = TypeVar("Kind", bound=Settings)


def settings_given(where: str, said: Mapping[str, Any], kind: type[Kind]) -> Kind:
    """Settings of a class as `said` there, and for the rest as in the environment and oyez.toml. There may be some for
    other classes too. SettingsError: one is wrong, or there is none of a name; the message says `where`."""
    refuse_unknown(where, said, kind)
    try:
        return kind(**own_of(said, kind))
    except SettingsError as error:
        raise SettingsError(f"{where}: {error}") from None


def own_of(said: Mapping[str, Any], kind: type[Settings]) -> dict[str, Any]:
    """What is said of it that this class has."""
    known = names_of(kind)
    return {name: value for name, value in said.items() if name in known}
