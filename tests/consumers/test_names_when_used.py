"""Packages whose names are imported when they are used."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

import pytest

PACKAGES = (
    "oyez.producers",
    "oyez.consumers",
    "oyez.consumers.admin",
    "oyez.consumers.cli",
    "oyez.consumers.mail",
    "oyez.consumers.reports",
)


@pytest.mark.parametrize("name", PACKAGES)
def test_no_module_stands_where_a_name_is_to_be(name: str) -> None:
    """An imported module is an attribute of its package: a name that is the module's own would never be looked up."""
    package = import_module(name)
    assert not {found.name for found in iter_modules(package.__path__)} & set(package.__all__)


@pytest.mark.parametrize("name", PACKAGES)
def test_each_name_is_there(name: str) -> None:
    package = import_module(name)
    assert not [one for one in package.__all__ if isinstance(getattr(package, one), ModuleType)]
    assert set(package.__all__) <= set(dir(package))
