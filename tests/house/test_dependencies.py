"""What the project depends on."""

from __future__ import annotations

import tomllib

import pytest
from packaging.requirements import Requirement

from house.imports import HOME

CORE = {
    "alembic",
    "confluent-kafka",
    "idna",
    "pydantic",
    "pydantic-settings",
    "rich",
    "sqlalchemy",
    "typer",
    "uuid-utils",
}
PROJECT = tomllib.loads((HOME / "pyproject.toml").read_text())["project"]


def requirements() -> list[str]:
    extras = PROJECT["optional-dependencies"].values()
    return [*PROJECT["dependencies"], *(requirement for extra in extras for requirement in extra)]


@pytest.mark.parametrize("requirement", requirements())
def test_a_dependency_is_capped(requirement: str) -> None:
    assert any(specifier.operator in {"<", "<=", "=="} for specifier in Requirement(requirement).specifier)


def test_the_core_is_small() -> None:
    assert {Requirement(requirement).name for requirement in PROJECT["dependencies"]} == CORE
