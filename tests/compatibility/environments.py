"""Environments with other Pythons and dependencies, made by uv in build/compat."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

from compatibility.cells import Cell
from compatibility.pythons import found
from house.imports import HOME

PLACE = HOME / "build" / "compat"
USERS = ("async", "celery", "django", "fastapi", "flask", "metrics", "otel", "postgres", "web", "dev")
"""The extras of those who use Oyez: their lowest versions are tried."""
TOOLS = ("pytest", "pytest-timeout", "hypothesis", "jsonschema", "pyyaml")
"""What the chosen tests are run by, as pyproject.toml has it."""
SECONDS = 600
LONGEST_REASON = 200


class NotInstalled(Exception):
    """Dependencies that cannot be installed together. Its text says which."""


class NotToBeHad(Exception):
    """A version that this machine, or its index of packages, does not have. Its text says what."""


def uv() -> str:
    """The program: that in the path, else one that is installed in a place of its own."""
    if there := shutil.which("uv"):
        return there
    place = PLACE / "uv"
    if not (place / "bin" / "uv").exists():
        _run([sys.executable, "-m", "venv", str(place)])
        _run([str(place / "bin" / "python"), "-m", "pip", "install", "--quiet", "uv>=0.8,<1"])
    return str(place / "bin" / "uv")


def environment(cell: Cell) -> Path:
    """The interpreter that the cell's tests run with; where the cell names no Python, this one."""
    if not cell.python:
        return Path(sys.executable)
    interpreter = found(cell.python)
    if interpreter is None:
        raise NotToBeHad(f"no Python {cell.python} on this machine")
    place = PLACE / cell.name
    _run([uv(), "venv", "--quiet", "--clear", "--python", interpreter, str(place)])
    python = place / "bin" / "python"
    install = [uv(), "pip", "install", "--quiet", "--python", str(python)]
    _install(
        [*install, "--editable", f".[{','.join((*USERS, 'testing'))}]", *_tools(), *_limits(cell, place)]
    )
    return python


def _tools() -> list[str]:
    wanted = tomllib.loads((HOME / "pyproject.toml").read_text())["project"]["optional-dependencies"]["test"]
    return [line for line in wanted if line.split(">")[0] in TOOLS]


def _limits(cell: Cell, place: Path) -> list[str]:
    if cell.lowest:
        lowest = place / "lowest.txt"
        extras = [option for extra in USERS for option in ("--extra", extra)]
        options = [
            "--quiet",
            "--python-version",
            cell.python,
            "--resolution",
            "lowest-direct",
            "--no-emit-index-url",
        ]
        _install([uv(), "pip", "compile", *options, *extras, "pyproject.toml", "--output-file", str(lowest)])
        return ["--constraint", str(lowest)]
    if cell.overrides:
        instead = place / "overrides.txt"
        instead.write_text("".join(f"{line}\n" for line in cell.overrides))
        return ["--override", str(instead), "--prerelease", "if-necessary-or-explicit"]
    return []


def _install(command: Sequence[str]) -> None:
    try:
        _run(command)
    except NotToBeHad as problem:
        raise NotInstalled(str(problem)) from None


def _run(command: Sequence[str]) -> None:
    try:
        done = subprocess.run(command, cwd=HOME, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise NotToBeHad(f"not there after {SECONDS} s") from None
    if done.returncode != 0:
        raise NotToBeHad(reason(done.stderr) or f"{command[0]} ended with {done.returncode}")


def reason(said: str) -> str:
    """What uv or pip says, in one line; of many words the first."""
    words = " ".join(said.replace("╰─▶", " ").replace("×", " ").split())  # noqa: RUF001 # as uv draws it
    return words if len(words) <= LONGEST_REASON else f"{words[:LONGEST_REASON]} …"
