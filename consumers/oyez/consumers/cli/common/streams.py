"""The standard streams as a command finds them: closed, full, without a reader, or unable to show a letter."""

from __future__ import annotations

import io
import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from typing import Any, TextIO

PATIENCE = 1.0  # s that whoever reads slowly is waited for


class _Descriptor(io.RawIOBase):
    """Writes to a file's descriptor."""

    def __init__(self, number: int) -> None:
        self._number = number

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._number

    def isatty(self) -> bool:
        return os.isatty(self._number)

    def _written(self, part: bytes) -> int:
        try:
            return os.write(self._number, part)
        except BlockingIOError:
            select.select([], [self._number], [], PATIENCE)
            return os.write(self._number, part)


class _Lossy(_Descriptor):
    """Loses what cannot be written: nothing fails because nobody can hear of it."""

    def write(self, data: Any) -> int:
        try:
            return self._written(data)
        except OSError:
            return len(data)


class _Remembering(_Descriptor):
    """Raises for what cannot be written, once, and knows of it afterwards."""

    failed: OSError | None = None

    def write(self, data: Any) -> int:
        if self.failed is not None:
            return len(data)  # at the exit, what is left is tried again
        try:
            return self._written(data)
        except OSError as error:
            self.failed = error
            raise


def prepare() -> None:
    """Make the standard streams of this process such that it can use them, before anything else opens a file.

    A closed one is as `/dev/null`, also by its number: a file that is opened later would have that number, and get what
    libraries write to it. A letter that stdout cannot show is escaped. What stderr does not take is lost.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            setattr(sys, name, _nothing(number))
    sys.stdout = _text(_Remembering(sys.stdout.fileno()), sys.stdout)
    sys.stderr = lossy(sys.stderr)


def lossy(stream: TextIO) -> io.TextIOWrapper:
    """The same stream, which loses what cannot be written."""
    made = _text(_Lossy(stream.fileno()), stream)
    made.reconfigure(line_buffering=True)
    return made


@contextmanager
def lossy_stdout() -> Iterator[None]:
    """Where stdout is for no data, a handler that prints does not fail when nobody reads it any more."""
    try:
        stream = lossy(sys.stdout)
    except io.UnsupportedOperation:  # it is no file
        yield
        return
    with redirect_stdout(stream):
        yield
        stream.flush()


def is_read() -> bool:
    """Whether somebody may still read what is printed. A pipe without a reader says so before anything is written."""
    try:
        asked = select.poll()
        asked.register(sys.stdout.fileno(), 0)
        return not any(said & (select.POLLERR | select.POLLHUP) for _, said in asked.poll(0))
    except (OSError, ValueError):  # it is no file, or closed
        return True


def flushed() -> OSError | None:
    """Write what stdout has not written yet; why it could not, now or before."""
    with suppress(OSError):
        sys.stdout.flush()
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    return raw.failed if isinstance(raw, _Remembering) else None


def _text(raw: io.RawIOBase, before: TextIO) -> io.TextIOWrapper:
    is_terminal = raw.isatty()
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=before.encoding,
        errors="backslashreplace",
        line_buffering=is_terminal,
    )


def _nothing(number: int) -> TextIO:
    mode = os.O_RDONLY if number == 0 else os.O_WRONLY
    opened = os.open(os.devnull, mode)
    if opened != number and not _is_open(number):
        os.dup2(opened, number)
        os.close(opened)
        opened = number
    return os.fdopen(opened, "r" if number == 0 else "w", encoding="utf-8", closefd=False)


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True
