"""Text for terminals and logs: nothing in it is taken for a line break, or for an order to the terminal."""

from __future__ import annotations


def printable(text: str) -> str:
    """The text with its control characters, and whatever else cannot be shown, escaped as in Python."""
    return text if text.isprintable() else "".join(map(_shown, text))


def one_line(text: str) -> str:
    """The same in one line: what is folded in it is joined by spaces."""
    return printable(" ".join(text.split()))


def _shown(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode()
