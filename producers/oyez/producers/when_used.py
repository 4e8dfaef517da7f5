"""Names of a package that are imported when they are used (PEP 562): whoever needs one of them loads no other."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module


def names_when_used(
    package: str,
    found_in: Mapping[str, str],
    around: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """A package's ``__getattr__`` and ``__dir__``. ``found_in`` says in which module each public name is, relative to
    the package. What was used once is then as if it had been imported in the first place. They are imported within
    ``around()``."""
    module = sys.modules[package]

    def get(name: str) -> object:
        if name not in found_in:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        with around():
            found: object = getattr(import_module(found_in[name], package), name)
        setattr(module, name, found)
        return found

    def names() -> list[str]:
        return sorted({*vars(module), *found_in})

    return get, names
