"""Finding the user's code: ``module:handlers``, and its event files."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from pkgutil import iter_modules

from oyez.producers import SettingsError
from oyez.producers.loggers import logger_named
from oyez.schemas import OyezError
from oyez.schemas.nearest import did_you_mean

from ..core.stop_signals import STOPS
from ..core.user_errors import in_one_line
from ..handler_files import EventFilesBroken, Loaded, load_event_files
from ..handlers.application import Application
from ..handlers.registry import Handlers
from ..settings import ListenSettings
from ..tracing.watching import watched_application

log = logger_named("oyez.eventfiles")
BESIDE = "events"
"""The folder of event files beside the application's module, unless another one is set."""


class AppError(OyezError):
    """The application cannot be found or imported; the message says where and why, in one line."""


def load_application(settings: ListenSettings) -> Application:
    """Import ``module:name`` from the working directory or the installed packages, and its event files, and check
    the handlers. Event files that are broken are logged, and left out.

    Raises `SettingsError` without a path, `AppError` for code that cannot be imported, `OpenToOthers` for a folder of
    event files that others may write to, `EventFilesBroken` where none may be, and what `Application` raises for
    handlers that could never work.
    """
    return watched_application(application_from(settings))


def application_from(settings: ListenSettings) -> Application:
    """The same, with nobody who watches its calls yet."""
    loaded = load(settings)
    for one in loaded.broken:
        log.error("this event file is broken and does not run: %s", one)
    if loaded.broken and settings.event_files_strict:
        raise EventFilesBroken(loaded.broken)
    return Application(loaded.handlers)


def load(settings: ListenSettings) -> Loaded:
    """The application's handlers and those of its event files, not checked as a whole."""
    on = load_handlers(settings.app)
    folder = _folder(str(settings.app), settings.event_files)
    return Loaded(on) if folder is None else load_event_files(on, folder)


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
            here = [one.name for one in iter_modules([str(Path.cwd())])]
            raise AppError(
                f"there is no module {error.name} in {Path.cwd()} or among the installed packages"
                f"{did_you_mean(error.name, here)}; check --app or OYEZ_APP"
            ) from error
        raise AppError(f"{name} cannot be imported: {in_one_line(error)}") from error
    except STOPS:
        raise
    except BaseException as error:
        raise AppError(f"{name} cannot be imported: {in_one_line(error)}") from error


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


def _folder(path: str, said: str | None) -> Path | None:
    """Where the event files are; None if there are none. A package is no such folder unless somebody says so."""
    if said is not None:
        return Path(said) if said else None
    file = getattr(sys.modules[path.partition(":")[0]], "__file__", None)
    folder = Path(file).parent / BESIDE if file else None
    return folder if folder and folder.is_dir() and not (folder / "__init__.py").exists() else None
