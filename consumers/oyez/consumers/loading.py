"""Finding the user's code: ``module:handlers``."""

from __future__ import annotations

import importlib
import sys
import sysconfig
import traceback
from pathlib import Path

from oyez.producers import SettingsError
from oyez.schemas import OyezError

from .application import Application
from .handlers import Handlers


class AppError(OyezError):
    """The application cannot be found or imported; the message says where and why, in one line."""


def load_application(path: str | None) -> Application:
    """Import ``module:name`` from the working directory or the installed packages, and check its handlers.

    Raises `SettingsError` without a path, `AppError` for code that cannot be imported, and what `Application`
    raises for handlers that could never work.
    """
    return Application(load_handlers(path))


def load_handlers(path: str | None) -> Handlers:
    """The `Handlers` object that ``module:name`` names."""
    if not path:
        raise SettingsError("no application: give --app module:handlers, or set OYEZ_APP")
    module_name, _, name = path.partition(":")
    parts = module_name.split(".")
    if not all(part.isidentifier() for part in (*parts, name)) or parts[-1] == "py":
        raise SettingsError(f"--app {path!r}: write it module:handlers, such as shop.handlers:on")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    return _handlers(_import(module_name), name, path)


def _import(name: str) -> object:
    try:
        return importlib.import_module(name)
    except OyezError:
        raise
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(error.name + ".")):
            raise AppError(
                f"there is no module {error.name} in {Path.cwd()} or among the installed packages; "
                f"check --app or OYEZ_APP"
            ) from error
        raise AppError(f"{name} cannot be imported: {_where(error)}") from error
    except (Exception, SystemExit) as error:
        raise AppError(f"{name} cannot be imported: {_where(error)}") from error


def _where(error: BaseException) -> str:
    """The error in one line, with the place in the user's code that raised it."""
    if isinstance(error, SyntaxError):
        message, place = error.msg, (error.filename, error.lineno)
    else:
        frames = [f for f in traceback.extract_tb(error.__traceback__) if not _is_machinery(f.filename)]
        own = [frame for frame in frames if not _is_library(frame.filename)] or frames
        message, place = str(error), (own[-1].filename, own[-1].lineno) if own else (None, None)
    said = ": ".join(filter(None, [type(error).__name__, " ".join(message.split())]))
    where = ", line ".join(str(part) for part in place if part is not None)
    return f"{said} ({where})" if where else said


def _is_machinery(file: str) -> bool:
    return file.startswith("<") or Path(file) in (Path(__file__), Path(importlib.__file__ or ""))


def _is_library(file: str) -> bool:
    return any(Path(file).is_relative_to(folder) for folder in set(sysconfig.get_paths().values()))


def _handlers(module: object, name: str, path: str) -> Handlers:
    found = getattr(module, name, None)
    if isinstance(found, Handlers):
        return found
    wrong = f"it has no {name}"
    if hasattr(module, name):
        wrong = f"its {name} is no Handlers object but of type {type(found).__name__}"
    offered = [key for key, value in vars(module).items() if isinstance(value, Handlers)]
    hint = f"there is {', '.join(offered)}" if offered else 'make one: on = Handlers("shop")'
    raise AppError(f"--app {path}: the module was imported, but {wrong}; {hint}")
