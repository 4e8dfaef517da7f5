"""What a run was made with: the commit, versions, and the machine."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import version

from confluent_kafka import libversion
from results import HOME

PACKAGES = ("confluent-kafka", "sqlalchemy", "psycopg", "pydantic")


def versions() -> dict[str, str]:
    """Of what the figures depend on."""
    packages = {name: version(name) for name in PACKAGES}
    return {"Python": platform.python_version(), **packages, "librdkafka": libversion()[0]}


def machine() -> dict[str, str | int]:
    """Nothing that tells whose it is."""
    load = os.getloadavg()[0]
    return {
        "cores": len(os.sched_getaffinity(0)),
        "architecture": platform.machine(),
        "kernel": platform.release(),
        "load at the beginning": f"{load:.1f}",
    }


def commit() -> str:
    """What is checked out, and whether something was changed since."""
    said = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--exclude", "*"],
        cwd=HOME,
        capture_output=True,
        text=True,
        check=False,
    )
    return said.stdout.strip() or "unknown"
