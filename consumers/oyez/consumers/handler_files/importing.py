"""From a file to what it asks for: its function and its settings."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from oyez.schemas import OyezError

from ..core.stop_signals import STOPS
from ..core.user_errors import in_one_line
from ..handlers.options import Asked
from .permissions import read


class FileBroken(OyezError):
    """An event file cannot be used; the message says why."""


class Definition(NamedTuple):
    """What an event file defines."""

    function: Callable[..., object]
    asked: Asked


def definition(file: Path) -> Definition:
    """What ``file`` defines. Raises `FileBroken` and `OpenToOthers`."""
    module = _imported(file)
    function = getattr(module, "handle", None)
    if function is None:
        raise FileBroken("it defines no handle(event, …)")
    asked = Asked(
        group=getattr(module, "GROUP", None),
        requires=getattr(module, "REQUIRES", None),
        order=getattr(module, "ORDER", None),
        completes=_flag(module, "COMPLETES") or False,
        batch=_flag(module, "BATCH"),
        file=file,
        retry=getattr(module, "RETRY", None),
        concurrency=getattr(module, "CONCURRENCY", None),
        timeout=getattr(module, "TIMEOUT", None),
        limits=getattr(module, "LIMITS", None),
    )
    return Definition(function, asked)


def _flag(module: ModuleType, name: str) -> bool | None:
    value: object = getattr(module, name, None)
    if value is None or isinstance(value, bool):
        return value
    raise FileBroken(f"{name} is {value!r}; it can be True or False")


def _imported(file: Path) -> ModuleType:
    """The file's module; a process runs a file once, as it does with every module."""
    name = f"oyez_events.{file.stem}"
    known = sys.modules.get(name)
    if known is not None and getattr(known, "__file__", None) == str(file):
        return known
    source = _read(file)
    module = ModuleType(name)
    module.__file__ = str(file)
    sys.modules[name] = module
    try:
        _run(source, str(file), vars(module))
    except STOPS:
        sys.modules.pop(name, None)
        raise
    except BaseException as error:
        sys.modules.pop(name, None)
        raise FileBroken(f"it cannot be imported: {in_one_line(error)}") from error
    return module


def _run(source: bytes, file: str, namespace: dict[str, Any]) -> None:
    # Not by Python's importer: that would take bytecode from __pycache__, which nobody has checked.
    code = compile(source, file, "exec", dont_inherit=True)
    exec(code, namespace)  # noqa: S102 # it is the user's own code, see `guarding`


def _read(file: Path) -> bytes:
    if not file.is_file():
        raise FileBroken("it is no file that can be read")
    try:
        return read(file)
    except OSError as error:
        raise FileBroken(f"it cannot be read: {error.strerror}") from error
