"""Numbers that are given as text."""

from __future__ import annotations

MOST = 2**63 - 1
"""The highest whole number that a database has."""
_DIGITS = len(str(MOST))


def number_of(text: str) -> int | None:
    """The number that these digits are, of at most `MOST`; None for any other text."""
    if not text.isascii() or not text.isdigit() or len(text) > _DIGITS:  # int() refuses thousands of digits
        return None
    number = int(text)
    return number if number <= MOST else None


def name_or_number(text: str) -> str | int:
    """A signal as it is named: the text, or the number that it is."""
    number = number_of(text)
    return text if number is None else number
