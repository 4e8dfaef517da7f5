"""Names of settings that are none: somebody has misspelt one, and would not see that it does nothing."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from importlib.metadata import entry_points
from typing import Any

from pydantic_settings import BaseSettings

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
_LINK = re.compile(r"(.*_)?(service_host|service_port\w*|port_\d+_(tcp|udp|sctp)\w*)")
_LINKED = ("tcp://", "udp://", "sctp://")


def refuse_unknown(where: str, said: Mapping[str, Any], settings: type[BaseSettings]) -> None:
    """SettingsError: what is said has names that no class of settings has."""
    unknown = said.keys() - names_of(settings)
    unknown -= names_of_all() if unknown else set()
    if unknown:
        raise SettingsError(f"{where}: {'; '.join(_told(name, said[name]) for name in sorted(unknown))}")


def refuse_arguments(said: Mapping[str, Any], settings: type[BaseSettings]) -> None:
    """SettingsError: a class of settings has no fields of these names. What begins with ``_`` is pydantic's own."""
    unknown = sorted(
        name for name in said if name[0] != "_" and name not in {*settings.model_fields, *names_of(settings)}
    )
    if unknown:
        raise SettingsError(f"{settings.__name__}(…): {'; '.join(_told(name, None) for name in unknown)}")


def warn_of_variables(settings: type[BaseSettings]) -> None:
    """Log each OYEZ_… in the environment that is no setting, once in a process. Others may have set it for purposes of
    their own: so it is no error."""
    found = {name.upper(): value for name, value in os.environ.items() if name.upper().startswith(PREFIX)}
    unknown = found.keys() - {*_variables(names_of(settings) | NO_SETTINGS)}
    unknown -= {*_variables(names_of_all())} if unknown else set()
    for name in sorted(unknown):
        if not _is_link(name.removeprefix(PREFIX).lower(), found[name]):
            _warn(name)


def names_of(settings: type[BaseSettings]) -> set[str]:
    """The names under which the fields of a class are set in a file."""
    return {OUTSIDE.get(name, name) for name in settings.model_fields}


@cache
def names_of_all() -> frozenset[str]:
    """Those of every class that is registered."""
    return frozenset(name for point in entry_points(group=GROUP) for name in names_of(point.load()))


@cache
def _warn(variable: str) -> None:
    near = _near(variable.removeprefix(PREFIX).lower())
    hint = f"; did you mean {PREFIX}{near.upper()}?" if near else ""
    log.warning("%s is no setting of Oyez's, and does nothing%s", variable, hint)


def _told(name: str, value: object) -> str:
    near = _near(name)
    hint = f"; did you mean {near}?" if near else ""
    if isinstance(value, dict) and not near:
        hint = "; settings stand at the top of the file, in no table"
    return f"there is no setting {name}{hint}"


def _near(name: str) -> str | None:
    plain = name.lower().replace("-", "_").removeprefix(PREFIX.lower())
    found = get_close_matches(plain, sorted(names_of_all()), n=1, cutoff=0.75)
    return found[0] if found else None


def _variables(names: Iterable[str]) -> Iterator[str]:
    return (f"{PREFIX}{name}".upper() for name in names)


def _is_link(name: str, value: str) -> bool:
    """Whether Kubernetes has set it, for a service that is called oyez or oyez-…"""
    is_port = name.rpartition("_")[2] == "port" and value.startswith(_LINKED)
    return is_port or _LINK.fullmatch(name) is not None
