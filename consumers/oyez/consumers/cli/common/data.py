"""The data of events as they are given on the command line."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from pydantic_core import from_json

from .errors import NotFound, UsageProblem


def read_data(argument: str | None) -> list[tuple[str, str]]:
    """The data of each event, a JSON object as it was written, with where it was given.

    ``argument`` is JSON, ``@FILE`` or ``-`` for stdin; None is stdin if something is piped in, else no data.
    JSON is one object, or several, each on a line of its own. Raises `UsageProblem`, and `NotFound` for a file.
    """
    where, text = _text(argument)
    if argument is None and not text.strip():
        return [("no data", "{}")]
    lines = _lines(text)
    if len(lines) > 1:
        return [(f"{where}, line {number}", _object(f"{where}, line {number}", one)) for number, one in lines]
    return [(where, _object(where, text))]


def _lines(text: str) -> list[tuple[int, str]]:
    """The lines of NDJSON, numbered: the whole is no JSON, and its first line is, or tries to be."""
    lines = [(number, one) for number, one in enumerate(text.split("\n"), 1) if one.strip()]
    if len(lines) < 2 or _is_json(text):
        return []
    first = lines[0][1].strip()
    return lines if first.endswith("}") or _is_json(first) else []


def _is_json(text: str) -> bool:
    try:
        from_json(text)
    except ValueError:
        return False
    return True


def _text(argument: str | None) -> tuple[str, str]:
    if argument is not None and argument.startswith("@"):
        return argument, text_of_file(argument, option="-d ")
    if argument == "-" or (argument is None and not sys.stdin.isatty()):
        return "stdin", text_of_stdin()
    return "-d", _decoded("-d", _bytes(argument or ""))


def text_of_stdin() -> str:
    """All that is piped in. Raises `UsageProblem`."""
    try:
        return _decoded("stdin", sys.stdin.buffer.read())
    except OSError as error:
        raise UsageProblem(f"stdin cannot be read: {error.strerror}") from None


def text_of_file(argument: str, *, option: str = "") -> str:
    """The text of the file that ``@FILE`` names. Raises `NotFound` and `UsageProblem`."""
    try:
        return _decoded(argument, Path(argument[1:]).read_bytes())
    except FileNotFoundError:
        raise NotFound(f"{option}{argument}: there is no such file") from None
    except OSError as error:
        raise UsageProblem(f"{option}{argument}: {error.strerror}") from None


def _bytes(argument: str) -> bytes:
    """An argument as it was given, whatever encoding it was taken for."""
    try:
        return os.fsencode(argument)
    except UnicodeEncodeError:
        return argument.encode("utf-8", "surrogatepass")  # not UTF-8, and so refused


def _decoded(where: str, value: bytes) -> str:
    try:
        return value.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageProblem(f"{where}: byte {error.start + 1} is not UTF-8") from None


def _object(where: str, text: str) -> str:
    if not text.strip():
        raise UsageProblem(f"{where}: it is empty; give a JSON object, such as {{}}")
    try:
        found = from_json(text, allow_inf_nan=False)
    except ValueError as error:
        raise UsageProblem(f"{where}: not JSON: {error}") from None
    if not isinstance(found, dict):
        raise UsageProblem(
            f"{where}: the data must be a JSON object with the signal's fields, not {_kind(found)}"
        )
    return text


def _kind(value: object) -> str:
    names = {list: "an array", str: "a string", bool: "true or false", int: "a number", float: "a number"}
    return names.get(type(value), "null")
