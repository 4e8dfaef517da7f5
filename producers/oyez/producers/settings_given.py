"""Settings that an application keeps in a configuration of its own, such as a framework's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from .errors import SettingsError
from .settings import Settings, WrongValue
from .settings_names import names_of, refuse_unknown

Kind = TypeVar("Kind", bound=Settings)


def settings_given(where: str, said: Mapping[str, Any], kind: type[Kind], prefix: str = "") -> Kind:
    """Settings of a class as `said` there, and for the rest as in the environment and oyez.toml. There may be some for
    other classes too. SettingsError: one is wrong, or there is none of a name; the message says `where`, and the name
    with its `prefix` there."""
    refuse_unknown(where, said, kind)
    try:
        return kind(**own_of(said, kind))
    except WrongValue as wrong:
        if wrong.given is None:  # it is said elsewhere, and the message says where
            raise
        name = f"{prefix}{wrong.given.upper()}"
        raise SettingsError(f"{where}: settings: {wrong.reasons} (from {where}[{name!r}])") from None


def own_of(said: Mapping[str, Any], kind: type[Settings]) -> dict[str, Any]:
    """What is said of it that this class has."""
    known = names_of(kind)
    return {name: value for name, value in said.items() if name in known}
