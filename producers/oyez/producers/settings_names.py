"""Names of settings that are none: somebody has misspelt one, and would not see that it does nothing."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.metadata import entry_points
from typing import Any, TypeVar

from pydantic_settings import BaseSettings

from oyez.schemas.nearest import nearest

from .errors import SettingsError
from .loggers import logger_named

log = logger_named("oyez.settings")

GROUP = "oyez.settings"
"""The entry point group: a name -> a class of settings. One file, and one environment, may have settings of each."""
PREFIX = "OYEZ_"
OUTSIDE = {"database_schema": "schema"}
"""What a field is called where it is set, if not as it is."""
NO_SETTINGS = frozenset({"debug", "test_kafka", "test_postgres"})
"""Variables that are read elsewhere: by the command line, and by Oyez's own tests."""
_Value = TypeVar("_Value", str, str | None)
_LINK = re.compile(r"(.*_)?(service_host|service_port\w*|port_\d+_(tcp|udp|sctp)\w*)")
_LINKED = ("tcp://", "udp://", "sctp://")


def refuse_unknown(where: str, said: Mapping[str, Any], settings: type[BaseSettings]) -> None:
    """SettingsError: what is said has names that no class of settings has."""
    unknown = said.keys() - names_of(settings)
    unknown -= names_of_all() if unknown else set()
    if unknown:
        raise SettingsError(
            f"{where}: {'; '.join(no_setting_in_file(name, said[name]) for name in sorted(unknown))}"
        )


def refuse_arguments(said: Mapping[str, Any], settings: type[BaseSettings]) -> None:
    """SettingsError: a class of settings has no fields of these names. What begins with ``_`` is pydantic's own."""
    unknown = sorted(
        name for name in said if name[0] != "_" and name not in {*settings.model_fields, *names_of(settings)}
    )
    if unknown:
        raise SettingsError(
            f"{settings.__name__}(…): {'; '.join(no_setting_in_file(name, None) for name in unknown)}"
        )


def warn_of_variables(settings: type[BaseSettings]) -> None:
    """Log each OYEZ_… in the environment that is no setting, once in a process. Others may have set it for purposes of
    their own: so it is no error."""
    for name in unknown_variables(names_of(settings)):
        _warn(name)


def unknown_variables(known: Iterable[str] = ()) -> list[str]:
    """Each OYEZ_… in the environment that is no setting, neither one of ``known`` nor of a class that is registered."""
    found = {name.upper() for name in without_links(os.environ) if name.upper().startswith(PREFIX)}
    unknown = found - {*_variables({*known} | NO_SETTINGS)}
    return sorted(unknown - {*_variables(names_of_all())} if unknown else set())


def classes_of_all() -> list[type[BaseSettings]]:
    """Every class of settings that is registered, what others are made of before these."""
    found = {point.load() for point in entry_points(group=GROUP)}
    return sorted(found, key=lambda kind: (len(kind.mro()), kind.__name__))


def names_of(settings: type[BaseSettings]) -> set[str]:
    """The names under which the fields of a class are set in a file."""
    return {OUTSIDE.get(name, name) for name in settings.model_fields}


@cache
def names_of_all() -> frozenset[str]:
    """Those of every class that is registered."""
    return frozenset(name for kind in classes_of_all() for name in names_of(kind))


@cache
def _warn(variable: str) -> None:
    log.warning("%s", no_setting(variable))


def no_setting(variable: str) -> str:
    """What is said of a variable that is no setting."""
    near = nearest_setting(variable)
    hint = f"; did you mean {PREFIX}{near.upper()}?" if near else ""
    return f"{variable} is no setting of Oyez's, and does nothing{hint}"


def no_setting_in_file(name: str, value: object) -> str:
    """What is said of a name in a file, or of an argument, that is no setting."""
    near = nearest_setting(name)
    hint = f"; did you mean {near}?" if near else ""
    if isinstance(value, dict) and not near:
        hint = "; settings stand at the top of the file, in no table"
    return f"there is no setting {name}{hint}"


def nearest_setting(name: str) -> str | None:
    """The setting whose name is nearest to one that is none; None if none is near."""
    plain = name.lower().replace("-", "_").removeprefix(PREFIX.lower())
    return nearest(plain, names_of_all())


def _variables(names: Iterable[str]) -> Iterator[str]:
    return (f"{PREFIX}{name}".upper() for name in names)


def without_links(variables: Mapping[str, _Value]) -> dict[str, _Value]:
    """Without those that Kubernetes has set, for a service that is called oyez or oyez-…: some are called as settings
    are, such as OYEZ_MAIL_PORT."""
    return {name: value for name, value in variables.items() if not _is_link(name.upper(), value or "")}


def _is_link(variable: str, value: str) -> bool:
    name = variable.removeprefix(PREFIX).lower()
    is_port = name.rpartition("_")[2] == "port" and value.startswith(_LINKED)
    return variable.startswith(PREFIX) and (is_port or _LINK.fullmatch(name) is not None)
