"""How often a concurrent handler may run: ``limits={"per_key": 1, "rate": "100/s"}``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypedDict

from ..core.callables import place
from .signature import RegistrationError

_RATE = re.compile(r"(\d+(?:\.\d+)?)/(s|min|h)")
_SECONDS = {"s": 1.0, "min": 60.0, "h": 3_600.0}


class Limits(TypedDict, total=False):
    """``per_key``: so many events of a key at once, in each worker, for a handler with ``order="none"``; ``rate``: so
    many events in all workers together, such as ``"100/s"``, ``"30/min"`` or ``"500/h"``."""

    per_key: int
    rate: str


@dataclass(frozen=True)
class Limit:
    """The same as numbers; ``rate`` is a second. None: no limit."""

    per_key: int | None = None
    rate: float | None = None


NO_LIMITS = Limit()


def limits_asked(function: Callable[..., object], given: object, *, in_lanes: bool, ordered: bool) -> Limit:
    """What a registration asks for, checked. Raises `RegistrationError` with the way out."""
    if given is None:
        return NO_LIMITS
    where = place(function)
    if not isinstance(given, Mapping) or given.keys() - Limits.__annotations__.keys():
        raise RegistrationError(
            f"{where}: limits is {given!r}; give {{'per_key': 1}}, {{'rate': '100/s'}} or both"
        )
    if not in_lanes:
        raise RegistrationError(
            f"{where}: limits= is for a handler that runs in a lane; give it concurrency= as well"
        )
    return Limit(_per_key(where, given.get("per_key"), ordered=ordered), _rate(where, given.get("rate")))


def _per_key(where: str, given: object, *, ordered: bool) -> int | None:
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, int) or given < 1:
        raise RegistrationError(f"{where}: limits per_key is {given!r}; give a whole number, 1 or more")
    if ordered and given > 1:
        raise RegistrationError(
            f"{where}: limits per_key is {given}, but with order='key' one event of a key runs at a time; give it "
            f"order='none'"
        )
    return given


def _rate(where: str, given: object) -> float | None:
    if given is None:
        return None
    found = _RATE.fullmatch(given) if isinstance(given, str) else None
    if found is None or float(found[1]) == 0:
        raise RegistrationError(f"{where}: limits rate is {given!r}; write it as 100/s, 30/min or 500/h")
    return float(found[1]) / _SECONDS[found[2]]
