"""Runs tests/integration against docker-compose.yml: `python -m compose.integration [PYTEST ARGUMENT...]`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from compose.ending import end_on_sigterm
from compose.project import Project
from support.services import unique

TESTS = Path(__file__).parents[1] / "integration"


def main(arguments: list[str]) -> int:
    """Bring it up, run them on its services, take it down; the exit code of pytest."""
    end_on_sigterm()
    project = Project(unique("oyez"))
    services = {"OYEZ_TEST_KAFKA": project.kafka, "OYEZ_TEST_POSTGRES": project.database}
    try:
        project.up("--build", "--scale", "listen=3")
        command = [sys.executable, "-m", "pytest", "-q", *(arguments or [str(TESTS)])]
        return subprocess.run(command, env={**os.environ, **services}, check=False).returncode
    finally:
        project.remove()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
