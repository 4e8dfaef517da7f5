"""The page of the public names: for each package, what `__all__` says; mkdocstrings has the rest from the code."""

from __future__ import annotations

import importlib

HEAD = """# Python names

What may be imported. All else is Oyez's own, and changes without notice.
"""
PACKAGES = (
    "oyez.schemas",
    "oyez.producers",
    "oyez.consumers",
    "oyez.consumers.testing",
)


def api_page() -> str:
    """The page: what mkdocstrings is asked for."""
    return HEAD + "".join(_part(package) for package in PACKAGES)


def _part(package: str) -> str:
    names = sorted(importlib.import_module(package).__all__)
    return f"\n## `{package}`\n" + "".join(f"\n::: {package}.{name}\n" for name in names)
