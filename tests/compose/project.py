"""docker-compose.yml under a name of its own, with ports of its own."""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Sequence
from pathlib import Path

from oyez.consumers.dev.ports import free_port

FILE = Path(__file__).parents[2] / "docker-compose.yml"
LIMIT = 280.0  # s for one command; what does not end by itself is a failure of the file


class Project:
    """One deployment by the file."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.password = secrets.token_hex(16)
        self._files: tuple[Path, ...] = (FILE,)
        self._kafka_port, self._postgres_port = free_port(), free_port()

    def changed_by(self, file: Path) -> Project:
        """The same deployment, with one more file."""
        self._files = (*self._files, file)
        return self

    @property
    def kafka(self) -> str:
        """The broker, as this machine sees it."""
        return f"127.0.0.1:{self._kafka_port}"

    @property
    def database(self) -> str:
        """The URL of the database, as this machine sees it."""
        return f"postgresql+psycopg://oyez:{self.password}@127.0.0.1:{self._postgres_port}/oyez"

    def run(self, *arguments: str, without: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
        """One command of `docker compose`, whatever it ends with."""
        own = {
            "COMPOSE_PROJECT_NAME": self.name,
            "OYEZ_KAFKA_PORT": str(self._kafka_port),
            "OYEZ_POSTGRES_PORT": str(self._postgres_port),
            "POSTGRES_PASSWORD": self.password,
        }
        environment = {name: value for name, value in {**os.environ, **own}.items() if name not in without}
        files = [part for file in self._files for part in ("--file", str(file))]
        return subprocess.run(
            ["docker", "compose", *files, *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )

    def compose(self, *arguments: str) -> str:
        """What the command prints; it must succeed."""
        done = self.run(*arguments)
        assert done.returncode == 0, f"docker compose {' '.join(arguments)}\n{done.stderr}\n{self.said()}"
        return done.stdout

    def up(self, *arguments: str) -> None:
        """Bring it up, and wait until all is healthy."""
        self.compose("up", "--detach", "--wait", "--wait-timeout", "240", *arguments)

    def containers(self, service: str) -> list[str]:
        """The ids of a service's containers, whatever their state."""
        return self.compose("ps", "--all", "--quiet", service).split()

    def said(self) -> str:
        """The end of what its services have said, and what is said of their health."""
        health = [
            docker("inspect", "--format", "{{.Name}} {{json .State.Health}}", one)[-600:]
            for one in self.run("ps", "--all", "--quiet").stdout.split()
        ]
        return "\n".join([self.run("logs", "--no-color", "--tail", "8").stdout, *health])

    def remove(self) -> None:
        """Take it down, with all that it kept."""
        self.run("down", "--volumes", "--remove-orphans", "--timeout", "5")


def docker(*arguments: str) -> str:
    """What a command of `docker` prints; it must succeed."""
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=LIMIT, check=False)
    assert done.returncode == 0, f"docker {' '.join(arguments)}\n{done.stderr}"
    return done.stdout.strip()


def inspected(container: str, template: str) -> str:
    """One thing that the engine knows of a container."""
    return docker("inspect", "--format", f"{{{{{template}}}}}", container)
