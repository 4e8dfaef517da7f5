"""Logging to stderr, one line each: text, or JSON. Without passwords, whoever has put one into a message."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime
from typing import Any, TextIO

from oyez.producers.loggers import logger_named
from oyez.producers.passwords import without_passwords

from ...core.json_text import json_text
from ...core.printable import one_line

_STANDARD = {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"}


class OneLine(logging.Formatter):
    """Time, level and message in one line; a traceback only where one was asked for."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        return without_passwords(super().format(record))

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802
        return datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 # logging's own name
        return one_line(super().formatMessage(record))


class JsonLine(logging.Formatter):
    """An object in one line: when, level, logger, process, message, and the record's own fields."""

    def format(self, record: logging.LogRecord) -> str:
        said: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "process": record.process,
            "message": " ".join(record.getMessage().split()),
        }
        said |= {name: value for name, value in vars(record).items() if name not in _STANDARD}
        if record.exc_info:
            said["traceback"] = self.formatException(record.exc_info)
        return without_passwords(json_text(said, default=str))


class ToStderr(logging.StreamHandler[TextIO]):
    """To what stderr is at the moment: while a bar is drawn, lines stand above it."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


def configure(log_format: str | None = None, *, verbose: bool = False, quiet: bool = False) -> None:
    """Send what Oyez logs to stderr, and nowhere else."""
    handler = ToStderr(sys.stderr)
    handler.setFormatter(JsonLine() if log_format == "json" else OneLine())
    logger = logger_named("oyez")
    logger.handlers = [handler]
    logger.propagate = False
    logger.setLevel(logging.DEBUG if verbose else logging.WARNING if quiet else logging.INFO)


def configure_again(log_format: str, *, verbose: bool, quiet: bool) -> None:
    """As the settings say, now that they are read; the level stays unless the command was given another."""
    level = logger_named("oyez").level
    configure(log_format, verbose=verbose, quiet=quiet)
    if not (verbose or quiet):
        logger_named("oyez").setLevel(level)


def settle() -> None:
    """See that there is somebody who hears Oyez after the application was imported. One that names `oyez` in its own
    configuration of logging, and no handlers for it, means those of its root."""
    logger = logger_named("oyez")
    if not logger.handlers:
        logger.propagate = True


def last_line(text: str) -> None:
    """Say what ended a command: `oyez: …`, or in JSON where the log is JSON. It is no line of the log, which may go
    elsewhere, or nowhere."""
    logger, line = logger_named("oyez"), f"oyez: {without_passwords(text)}"
    for handler in logger.handlers:
        if isinstance(handler.formatter, JsonLine):
            record = logger.makeRecord("oyez", logging.ERROR, __file__, 0, "%s", (text,), None)
            line = handler.formatter.format(record)
    print(line, file=sys.stderr)  # noqa: T201
