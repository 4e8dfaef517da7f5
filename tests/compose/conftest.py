"""The tests of docker-compose.yml on an engine: `make test-compose`. Without one they are not collected."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from compose.ending import end_on_sigterm
from compose.project import Project
from compose.traffic import Traffic
from support.services import unique

# Set by tools/test-compose, which has an engine and the images.
collect_ignore_glob = [] if os.environ.get("COMPOSE_TESTS") else ["test_*.py"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Containers take their time."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.timeout(560))


@pytest.fixture(scope="session")
def up() -> Iterator[Project]:
    """The file, brought up as its head says, with three workers."""
    end_on_sigterm()
    project = Project(unique("oyez"))
    try:
        project.up("--build", "--scale", "listen=3")
        yield project
    finally:
        project.remove()


@pytest.fixture
def traffic(up: Project) -> Iterator[Traffic]:
    """A server that announces from this machine, through the published ports."""
    made = Traffic(up)
    yield made
    made.close()
