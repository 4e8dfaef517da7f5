"""Registering a folder's event files beside an application's decorated handlers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from oyez.producers import SettingsError
from oyez.schemas import Catalogue, OyezError, SchemaError, catalogue
from oyez.schemas.declaration import Declaration

from ..core.callables import place
from ..core.printable import printable
from ..core.stop_signals import STOPS
from ..core.user_errors import reason_of
from ..handlers.application import Application, StartError
from ..handlers.registry import Handlers
from ..handlers.signature import RegistrationError
from .file_names import event_files, signal_of
from .importing import Definition, definition
from .permissions import check_folder


class EventFilesBroken(OyezError):
    """Event files are broken where none may be; the message names them, with the reasons."""

    def __init__(self, broken: Sequence[BrokenFile]) -> None:
        named = "; ".join(str(one) for one in broken)
        super().__init__(f"broken event files (OYEZ_EVENT_FILES_STRICT): {named}")


@dataclass(frozen=True)
class BrokenFile:
    """An event file that does not run, and why; ``signal`` is the one that its name begins with."""

    file: Path
    reason: str
    signal: Declaration | None = None

    def __str__(self) -> str:
        return f"{printable(self.file.name)}: {self.reason}"


@dataclass(frozen=True)
class Loaded:
    """An application's handlers with those of its event files, and the event files that are broken."""

    handlers: Handlers
    broken: tuple[BrokenFile, ...] = ()


def load_event_files(on: Handlers, folder: Path | str, signals: Catalogue = catalogue) -> Loaded:
    """The handlers of ``on``, and one for each event file in ``folder``, which run after them in the order of their
    names. ``on`` itself stays as it is.

    Files that cannot be used are left out, and named with the reason. Raises `OpenToOthers` for a folder that others
    may write to, and `SettingsError` for one that is not there.
    """
    home = Path(folder).absolute()
    if not home.is_dir():
        raise SettingsError(f"OYEZ_EVENT_FILES: there is no folder {folder}")
    try:
        check_folder(home)
        entries = list(home.iterdir())
    except OSError as error:
        raise SettingsError(f"OYEZ_EVENT_FILES: {folder} cannot be read: {error.strerror}") from None
    broken: list[BrokenFile] = []
    found = [(file, _found(file, signals, broken)) for file in event_files(entries)]
    handlers = on.copy()
    for file, one in found:
        if one is not None:
            _add(handlers, file, *one, broken)
    handlers = _checked(handlers.without() if broken else handlers, signals, broken)
    return Loaded(handlers, tuple(sorted(broken, key=lambda one: one.file.name)))


def _found(file: Path, signals: Catalogue, broken: list[BrokenFile]) -> tuple[Declaration, Definition] | None:
    """The file's signal and what it defines. The file is not run if its signal is unknown."""
    signal = None
    try:
        signal = signal_of(file, signals)
        return signal, definition(file)
    except STOPS:
        raise
    except BaseException as error:  # noqa: BLE001 # what the file defines is the user's code, down to its attributes
        broken.append(BrokenFile(file, reason_of(error), signal))
        return None


def _add(
    handlers: Handlers, file: Path, signal: Declaration, found: Definition, broken: list[BrokenFile]
) -> None:
    try:
        handlers.add(found.function, signal, found.asked)
    except STOPS:
        raise
    except RegistrationError as error:
        reason = str(error).removeprefix(f"{place(found.function)}: ")
        broken.append(BrokenFile(file, reason, signal))
    except BaseException as error:  # noqa: BLE001 # the same
        broken.append(BrokenFile(file, reason_of(error), signal))


def _checked(handlers: Handlers, signals: Catalogue, broken: list[BrokenFile]) -> Handlers:
    """The handlers without those of files with which the application could not start. Whatever else keeps it from
    that is left to be found when it does."""
    while (blamed := _blamed(handlers, signals, broken)) is not None:
        handlers = handlers.without(blamed)
    return handlers


def _blamed(handlers: Handlers, signals: Catalogue, broken: list[BrokenFile]) -> str | None:
    """The last file's handler among those that are at fault."""
    try:
        Application(handlers, signals)
    except StartError as error:
        for one in reversed(error.handlers):
            if one.file is not None:
                broken.append(BrokenFile(one.file, str(error), one.declaration))
                return one.name
    except SchemaError:
        return None
    return None
