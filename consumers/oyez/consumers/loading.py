"""Finding the user's code: ``module:handlers``."""

from __future__ import annotations

import importlib
import sys
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
    if not module_name or not name:
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
    except Exception as error:
        raise AppError(f"{name} cannot be imported: {_where(error)}") from error


def _where(error: BaseException) -> str:
    """The error in one line, with the place in the user's code that raised it."""
    trace = error.__traceback__
    place = ""
    while trace is not None:
        code = trace.tb_frame.f_code
        if not code.co_filename.startswith("<") and "importlib" not in code.co_filename:
            place = f" ({code.co_filename}, line {trace.tb_lineno})"
        trace = trace.tb_next
    if isinstance(error, SyntaxError):
        place = f" ({error.filename}, line {error.lineno})"
    message = str(error.msg if isinstance(error, SyntaxError) else error)
    return f"{type(error).__name__}: {' '.join(message.split())}{place}"


def _handlers(module: object, name: str, path: str) -> Handlers:
    found = getattr(module, name, None)
    if isinstance(found, Handlers):
        return found
    offered = [key for key, value in vars(module).items() if isinstance(value, Handlers)]
    hint = f"; it has {', '.join(offered)}" if offered else '; make one: on = Handlers("shop")'
    raise AppError(f"--app {path}: {name} is not a Handlers object of that module{hint}")
