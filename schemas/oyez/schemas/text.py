"""The texts that identify things: ids, sources, keys and subjects."""

from typing import Any

from pydantic_core import from_json, to_json

MAX_TEXT = 250
"""Characters allowed in an id, a source, a key or a subject: they are index keys in the database."""


def text_of(value: object) -> str | None:
    """A key or subject as text: a str as it is, None as None, anything else in its JSON form.

    The int 1 and the str "1" are the same text; a UUID, date or Enum is what it is in JSON; True is "true", and bytes
    are base64, as they are in a signal's data. ValueError: it has no JSON form.
    """
    if value is None or type(value) is str:
        return value
    if type(value) is int:
        return str(value)
    written = to_json(value, bytes_mode="base64")
    read: Any = from_json(written)
    return read if isinstance(read, str) else written.decode()


def flaw(text: object) -> str | None:
    """Why `text` cannot be an id, source, key or subject; None when it can."""
    if not isinstance(text, str):
        return f"must be text, not {type(text).__name__}"
    if not text:
        return "must not be empty"
    if len(text) > MAX_TEXT:
        return f"has {len(text)} characters, {MAX_TEXT} are allowed"
    if "\0" in text:
        return "must not contain a NUL character"
    return None if _is_utf8(text) else "contains a lone surrogate, which UTF-8 cannot express"


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
