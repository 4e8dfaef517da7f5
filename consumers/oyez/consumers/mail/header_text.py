"""What a text may be that stands in a header."""

from __future__ import annotations

import re
from unicodedata import category

_ENCODED = re.compile(r"=\?[^?]*\?[bBqQ]\?")


def wrong_with(text: str) -> str | None:
    """Why this cannot stand in a header, in words; None if it can.

    A text that is encoded already is none of ours: what it says when a reader decodes it has not been looked at.
    """
    if any(category(one) in ("Cc", "Cs") or one in "\u2028\u2029" for one in text):
        return "has line breaks, control characters or half characters"
    if _ENCODED.search(text):
        return "has an encoded word (=?…?=); give the text itself, it is encoded when it is written"
    return None
