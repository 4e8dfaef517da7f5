"""Reading a file of settings: TOML, in UTF-8."""

from __future__ import annotations

import codecs
import re
import tomllib
from pathlib import Path
from typing import Any

from .errors import SettingsError
from .passwords import HIDDEN

_OTHERS = {
    codecs.BOM_UTF32_LE: "UTF-32",  # before UTF-16, whose mark this one begins with
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}


_NAMES = re.compile(r"\(['\"].*\)|(?<=key )['\"].*['\"]")
"""How tomllib says what stands twice: as a tuple of its names, or as one."""


def read_settings_file(path: Path) -> dict[str, Any]:
    """What a file says; nothing if it is not there. SettingsError: it cannot be read, or is not TOML in UTF-8."""
    text = read_settings_text(path)
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"{path} is not valid TOML: {_without_names(str(error))}") from None


def _without_names(error: str) -> str:
    """One line that says what is wrong and where. A name that it has may be a secret, such as a key in
    `collect_keys`."""
    what, at, where = " ".join(error.split()).rpartition(" (at ")
    return f"{_NAMES.sub(HIDDEN, what)}{at}{where}" if at else _NAMES.sub(HIDDEN, where)


def read_settings_text(path: Path) -> str:
    """The text of a file; nothing if it is not there. SettingsError: it cannot be read, or is not in UTF-8."""
    try:
        return _text(path, path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}") from None


def _text(path: Path, content: bytes) -> str:
    """Its text, without the mark that some editors put before it."""
    encoding = next((name for mark, name in _OTHERS.items() if content.startswith(mark)), None)
    if encoding is None and b"\0" in content:
        encoding = "no text, or in UTF-16"
    if encoding is not None:
        raise SettingsError(f"{path} is {encoding}; TOML is UTF-8: save it in that encoding")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SettingsError(f"{path}, line {line}: this is not UTF-8; save it in that encoding") from None
