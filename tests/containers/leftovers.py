"""What an engine leaves behind that was killed, and what one leaves that has ended."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path


def start_nothing_again(data: Path) -> None:
    """Containers of a run that was killed would start again with the engine, before it answers."""
    for file in data.glob("containers/*/hostconfig.json"):
        settings = json.loads(file.read_text())
        file.write_text(json.dumps(settings | {"RestartPolicy": {"Name": "no", "MaximumRetryCount": 0}}))


def remove_all(environment: Mapping[str, str]) -> None:
    """Remove each container, volume and network of the engine, and what images have had no name for a week."""
    listed = ["docker", "ps", "--all", "--quiet"]
    found = subprocess.run(listed, env=environment, capture_output=True, text=True, check=True)
    if left := found.stdout.split():
        _say(environment, "rm", "--force", "--volumes", *left)
    for kind in ("volume", "network"):
        _say(environment, kind, "prune", "--force")
    _say(environment, "image", "prune", "--force", "--filter", "until=168h")


def _say(environment: Mapping[str, str], *arguments: str) -> None:
    subprocess.run(["docker", *arguments], env=environment, capture_output=True, check=True)


def unmount(*folders: Path) -> None:
    """Let go of what is mounted below these folders: a namespace of a network, the files of a container."""
    mounted = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for place in reversed(mounted):
        if any(Path(place).is_relative_to(folder) for folder in folders):
            subprocess.run(["umount", "--lazy", place], capture_output=True, check=False)
