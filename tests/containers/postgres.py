"""What the stand-in of PostgreSQL's image is made of: the programs of a package."""

from __future__ import annotations

from pathlib import Path

from oyez.consumers.dev.postgres_files import programs


def postgres_files() -> dict[str, Path]:
    """Files and folders, by their places beside the Dockerfile."""
    installed = programs().parent
    package = installed.parent
    libraries = package.with_name(f"{package.name}.libs")
    found = {f"files/{package.name}/{installed.name}": installed}
    return {**found, f"files/{libraries.name}": libraries} if libraries.exists() else found
