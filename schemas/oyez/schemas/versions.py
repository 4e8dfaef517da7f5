"""Versions of a signal's data, and how data of an older one is brought up to the newest."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from .declaration import Declaration
from .errors import SchemaError, Undecodable

FIRST = 1
"""The version of data that says none."""

Upcast = Callable[[dict[str, Any]], dict[str, Any]]
"""Makes data of one version from data of the version before, both as JSON has them."""

_URN = "urn:oyez:signal:"
_numbered = re.compile(r"[1-9][0-9]{0,8}").fullmatch


def dataschema(declaration: Declaration) -> str | None:
    """What an event says of its data's schema; None for the first version, which says nothing."""
    if declaration.version == FIRST:
        return None
    return f"{_URN}{declaration.name}:{declaration.version}"


def version_of(declaration: Declaration, said: str | None) -> int:
    """The version of data whose event has this ``dataschema``. One that is not ours is of some other maker, who is
    taken to write what is newest."""
    if said is None:
        return FIRST
    _, _, number = said.rpartition(":")
    is_ours = said == f"{_URN}{declaration.name}:{number}" and _numbered(number)
    return int(number) if is_ours else declaration.version


def register(declaration: Declaration, version: object, upcast: Upcast) -> None:
    """Let data of this version be brought up to the next one. SchemaError: there is no next one, or another upcast."""
    owner = declaration.model.__qualname__
    if type(version) is not int or not FIRST <= version < declaration.version:
        older = (
            f"1 to {declaration.version - 1}"
            if declaration.version > FIRST
            else "none; give the class version=2"
        )
        raise SchemaError(f"{owner}: from_version={version!r} is no older version; there are {older}")
    if version in declaration.upcasts:
        raise SchemaError(f"{owner}: there is an upcast from version {version} already")
    declaration.upcasts[version] = upcast


def check_upcasts(declaration: Declaration) -> None:
    """SchemaError: an upcast is missing between the oldest one and the newest version."""
    oldest = min(declaration.upcasts, default=declaration.version - 1)
    for version in range(max(oldest, FIRST), declaration.version):
        if version not in declaration.upcasts:
            owner = declaration.model.__qualname__
            raise SchemaError(
                f"{owner} has version={declaration.version}, and nothing brings data of version {version} up to it: "
                f"decorate a function with @{owner}.upcast(from_version={version})"
            )


def upcasted(declaration: Declaration, data: Any, version: int) -> Any:
    """Data of an older version as that of the newest. Undecodable: it is too old, or an upcast failed."""
    for one in range(version, declaration.version):
        upcast = declaration.upcasts.get(one)
        if upcast is None:
            raise Undecodable(f"data: version {version} of {declaration.name} is not read any more")
        data = _applied(upcast, data, one)
    return data


def _applied(upcast: Upcast, data: Any, version: int) -> Any:
    what = f"data: the upcast from version {version}"
    try:
        found = upcast(data)
    except Exception as error:  # noqa: BLE001 # whatever a user's function raises
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise Undecodable(f"{what} failed: {reason:.300}") from None
    if not isinstance(found, dict):
        raise Undecodable(f"{what} gave {type(found).__name__}; it has to return a dict")
    return found
