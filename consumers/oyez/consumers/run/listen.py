"""Listening until a number of events is handled, for programs."""

from __future__ import annotations

from oyez.schemas import Signal, catalogue

from ..handlers.application import Application, Group, StartError
from ..settings import ListenSettings
from ..tracing.watching import watched_application
from .listened import Listened, check_limit
from .loading import load_application
from .looked_after import looked_after


def listen(
    signal: type[Signal] | str | int | None = None,
    limit: int = 10,
    *,
    settings: ListenSettings | None = None,
    application: Application | None = None,
) -> Listened:
    """Handle ``limit`` events at most in this process, and return.

    ``signal``, by class, name or number, chooses the groups that handle it; None or 0: all. What is due in the retry
    tables is run first, then the log is read in its order. The settings and the application are those of the
    environment unless given.

    Raises `UnknownSignal`; `StartError` for a signal that the application does not handle; what `load_application`
    raises; `MigrationNeeded` and `DatabaseAway`; `SettingsError` for a transport that leaves nothing to listen to,
    `FolderMissing` for a folder of the spool that is not there, and `SpoolError` for one that may not be read;
    ValueError for a limit below 1, TypeError for what is no number or no signal. What was committed before an error
    stays.
    """
    from .bounded_pass import one_pass  # noqa: PLC0415 # whoever only registers handlers needs no Kafka client
    from .listening import prepare  # noqa: PLC0415 # the same

    check_limit(limit)
    said = settings or ListenSettings()
    found = looked_after(load_application(said) if application is None else watched_application(application))
    groups = _groups(found, signal)
    prepare(found, said)
    return one_pass(groups, said, limit)


def _groups(application: Application, signal: type[Signal] | str | int | None) -> list[Group]:
    if signal is None or (signal == 0 and type(signal) is int):
        return list(application.groups.values())
    if not isinstance(signal, type | str | int):
        raise TypeError(f"signal is {signal!r}; give one signal, by its class, name or number")
    name = catalogue[signal].name
    groups = application.of_signal(name)
    if not groups:
        raise StartError(f"{application.name} has no handler for {name}")
    return groups
