"""What a record says of whose it is, also one that cannot be decoded."""

from __future__ import annotations

from pydantic_core import from_json

from oyez.schemas.headers import Headers, is_binary, text_in
from oyez.schemas.lenient import leniently

ASKED = ("partitionkey", "subject")


def attributes_of(value: bytes | None, headers: Headers = ()) -> object:
    """An event's attributes, its key and its subject among them, in either mode. Good for telling whose it is, not for
    use: our reader may refuse it."""
    if is_binary(headers):
        return {name: text_in(headers, f"ce_{name}") for name in ASKED}
    try:
        return from_json(value or b"")
    except ValueError:
        return leniently(value or b"")
