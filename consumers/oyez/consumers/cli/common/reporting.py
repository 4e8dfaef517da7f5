"""From errors to exit codes and to the one line that is said about them. The only place that knows both.

It is imported when a command has failed: it has to know the errors of all that a command may use.
"""

from __future__ import annotations

import os
import sys
import traceback
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from sqlalchemy.exc import DBAPIError

from oyez.producers import SettingsError
from oyez.producers.passwords import without_passwords
from oyez.schemas import InvalidEvent, OyezError, SchemaError, UnknownSignal

from ...admin import NotBegun
from ...core.errors import ServiceAway
from ...core.printable import one_line
from ...core.stop_signals import Terminated
from ...database import DatabaseAway, DatabaseError
from ...database.engine import DatabaseRefuses, could_not_connect
from ...handler_files import EventFilesBroken, OpenToOthers
from ...handlers.application import StartError
from ...handlers.signature import RegistrationError
from ...logs.spool.folders import FolderMissing
from ...run.loading import AppError
from . import logging
from .errors import CheckFailed, NotFound, UsageProblem
from .exits import FAILED, FOUND_PROBLEMS, INTERRUPTED, NOT_FOUND, OK, UNREACHABLE, USAGE

NAME = "oyez"
NO_BROKER = (
    KafkaError._TRANSPORT,  # noqa: SLF001 # the client's names for them
    KafkaError._ALL_BROKERS_DOWN,  # noqa: SLF001
    KafkaError._TIMED_OUT,  # noqa: SLF001
    KafkaError._RESOLVE,  # noqa: SLF001
)


CODES: tuple[tuple[type[BaseException], int], ...] = (
    (ServiceAway, UNREACHABLE),
    (DatabaseRefuses, FAILED),
    (DatabaseAway, UNREACHABLE),
    (NotFound, NOT_FOUND),
    (FolderMissing, NOT_FOUND),
    (NotBegun, NOT_FOUND),
    (UnknownSignal, NOT_FOUND),
    (CheckFailed, FOUND_PROBLEMS),
    (UsageProblem, USAGE),
    (SettingsError, USAGE),
    (DatabaseError, USAGE),
    (AppError, USAGE),
    (StartError, USAGE),
    (OpenToOthers, USAGE),
    (EventFilesBroken, USAGE),
    (RegistrationError, USAGE),
    (SchemaError, USAGE),
    (InvalidEvent, USAGE),
    (KeyboardInterrupt, INTERRUPTED),
    (Terminated, OK),
)


def code_of(error: BaseException) -> int:
    """The exit code for an error that ended a command."""
    for kind, code in CODES:
        if isinstance(error, kind):
            return code
    if is_away(error):
        return UNREACHABLE
    return USAGE if is_usage(error) else FAILED


def line_of(error: BaseException) -> str:
    """One line about an error."""
    if is_usage(error):
        return one_line(_usage(error))
    if isinstance(error, OyezError):
        return one_line(str(error))
    if isinstance(error, DBAPIError):
        return one_line(f"the database: {error.orig}")
    if isinstance(error, KafkaException):
        return one_line(f"Kafka: {error.args[0].str()}")
    if isinstance(error, OSError) and error.filename is not None:
        return one_line(f"{os.fsdecode(error.filename)}: {error.strerror}")
    return one_line(f"{type(error).__name__}: {error}")


def log_away(why: BaseException | None) -> str | None:
    """What is said where a log has not answered; nothing where it has."""
    return None if why is None else f"{line_of(why)}; how much is left to read is not known"


def is_usage(error: Any) -> bool:
    """Whether the command line itself was wrong: typer's own errors, which have no public class of their own."""
    return hasattr(error, "format_message") and hasattr(error, "exit_code")


def is_away(error: BaseException) -> bool:
    """Whether an error of a driver or client only says that the other side is not there."""
    if isinstance(error, KafkaException):
        return error.args[0].code() in NO_BROKER
    return isinstance(error, DBAPIError) and could_not_connect(error)


def is_kafkas(error: BaseException) -> bool:
    """Whether it is what Kafka has answered, or that it has not."""
    return isinstance(error, KafkaException)


def report(error: BaseException, *, debug: bool, program: str = NAME) -> int:
    """Say on stderr what ended the command; returns its exit code. What is advised is a command of ``program``, which
    has the settings that it was given."""
    code = code_of(error)
    if isinstance(error, Terminated):
        return code
    if isinstance(error, KeyboardInterrupt):
        logging.last_line("interrupted")
        return code
    if debug and not is_usage(error):
        print(without_passwords("".join(traceback.format_exception(error))), end="", file=sys.stderr)  # noqa: T201
    logging.last_line(line_of(error).replace(f"run: {NAME} ", f"run: {program} "))
    return code


def report_lost(error: OSError) -> int:
    """The same where stdout did not take the data; not if its reader has gone, such as `head`."""
    if not isinstance(error, BrokenPipeError):
        logging.last_line(f"stdout cannot be written: {error.strerror}")
    return FAILED


def wants_traceback(*, asked: bool) -> bool:
    """Whether --debug or OYEZ_DEBUG asks for tracebacks."""
    return asked or os.environ.get("OYEZ_DEBUG", "").lower() in ("1", "true", "yes", "on")


def _usage(error: Any) -> str:
    context = getattr(error, "ctx", None)
    hint = f" (see {context.command_path} --help)" if context is not None else ""
    return f"{error.format_message().rstrip('.')}{hint}"
