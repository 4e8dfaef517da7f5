"""Docker Compose: the machine's own, or built once from its sources by Go."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from containers.errors import CannotBeHad
from support.caching import alone, cache, digest

SOURCE = Path(__file__).with_name("plugin")
PACKAGE = "github.com/docker/compose/v2/cmd"
VERSION = "v2.40.3"  # as in plugin/go.mod
LINKED = f"-s -w -X github.com/docker/compose/v2/internal.Version={VERSION}"


def with_compose(environment: Mapping[str, str]) -> dict[str, str]:
    """This environment, in which `docker compose` works too."""
    asked = ["docker", "compose", "version"]
    if not subprocess.run(asked, env=environment, capture_output=True, check=False).returncode:
        return dict(environment)
    # An engine that has no Compose has no buildx for it either: Compose then builds by the engine itself.
    return {**environment, "DOCKER_CONFIG": str(_configuration(_plugin())), "DOCKER_BUILDKIT": "0"}


def _configuration(plugin: Path) -> Path:
    """A folder of settings for `docker` that name the plugin, beside what the user has set."""
    folder = plugin.parent / "config"
    folder.mkdir(exist_ok=True)
    own = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker") / "config.json"
    settings = json.loads(own.read_text()) if own.exists() else {}
    settings["cliPluginsExtraDirs"] = [*settings.get("cliPluginsExtraDirs", []), str(plugin.parent)]
    (folder / "config.json").write_text(json.dumps(settings))
    return folder


def _plugin() -> Path:
    folder = cache(f"compose-{digest(SOURCE)}")
    plugin = folder / "docker-compose"
    with alone(folder):
        if not plugin.exists():
            _build(plugin)
    return plugin


def _build(plugin: Path) -> None:
    if not shutil.which("go"):
        raise CannotBeHad("no Docker Compose is here, and no Go that builds it: install one of them")
    print("docker-engine: building Docker Compose, once (some minutes)", file=sys.stderr)
    half = plugin.with_suffix(".part")
    # In a folder of its own: what Go keeps of it is a gigabyte that nobody needs again.
    go = {"GOPATH": str(plugin.parent / "go"), "GOCACHE": str(plugin.parent / "go-build")}
    done = subprocess.run(
        [
            "go",
            "build",
            "-mod=readonly",
            "-modcacherw",
            "-trimpath",
            f"-ldflags={LINKED}",
            "-o",
            half,
            PACKAGE,
        ],
        cwd=SOURCE,
        env={**os.environ, **go, "CGO_ENABLED": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        why = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise CannotBeHad(f"no Docker Compose is here, and it cannot be built: {why}")
    for folder in go.values():
        shutil.rmtree(folder, ignore_errors=True)
    half.rename(plugin)
