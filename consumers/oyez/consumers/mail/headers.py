"""Lines of a header, written by ourselves, and read back.

Python's own writer decodes what looks encoded while it folds, and so writes line breaks that nobody gave; and it
encodes what is longer than a line.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from email.headerregistry import Address
from email.parser import BytesHeaderParser
from email.policy import default

from .errors import MailRefused
from .header_text import wrong_with

LONGEST_LINE = 998  # bytes, as SMTP allows
_USUAL_LINE = 78
_WORD_ROOM = 63  # characters of the 75 that an encoded word may have
_WORD_BYTES = 45  # of a text in one encoded word
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")
_READER = BytesHeaderParser(policy=default)


def text_line(name: str, text: str) -> bytes:
    """A header with a text. What is ASCII is written as it is."""
    words = text.strip(" ").split(" ")
    strange = [at for at, word in enumerate(words) if _is_strange(word)]
    if strange:
        # In one piece: a space between two encoded words is none to a reader.
        first, end = strange[0], strange[-1] + 1
        words[first:end] = _encoded(" ".join(words[first:end]))
    return _folded(name, words)


def address_line(name: str, addresses: Sequence[Address]) -> bytes:
    """A header with addresses."""
    words = [[*_phrase(one.display_name), _bare(one)] for one in addresses]
    for before in words[:-1]:
        before[-1] += ","
    return _folded(name, [word for one in words for word in one])


def check(lines: bytes, names: Sequence[str]) -> None:
    """Raises `MailRefused` unless these lines are what a reader takes for these headers, in one line each."""
    bare = lines.replace(b"\r\n", b"")
    is_whole = lines.endswith(b"\r\n") and not lines.startswith(b"\r\n") and b"\r\n\r\n" not in lines
    is_plain = lines.isascii() and b"\r" not in bare and b"\n" not in bare
    if not (is_whole and is_plain) or max(map(len, lines.split(b"\r\n"))) > LONGEST_LINE:
        raise MailRefused(f"mail: its header cannot be written in lines of {LONGEST_LINE} characters")
    try:
        read = [(name, str(value)) for name, value in _READER.parsebytes(lines + b"\r\n").items()]
    except Exception as error:  # whatever its parser stumbles upon
        raise MailRefused(f"mail: its header cannot be read back: {type(error).__name__}") from error
    if [name for name, _ in read] != list(names):
        raise MailRefused("mail: other headers are read back than were given")
    for name, value in read:
        if wrong := wrong_with(value):
            raise MailRefused(f"mail: the header {name}, read back, {wrong}")


def _is_strange(text: str) -> bool:
    return not text.isascii() or "=?" in text


def _phrase(name: str) -> list[str]:
    if _is_strange(name):
        return list(_encoded(name))
    if not name or _ATOMS.fullmatch(name):
        return name.split()
    return ['"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"']


def _bare(address: Address) -> str:
    return f"<{address.addr_spec}>" if address.display_name else address.addr_spec


def _encoded(text: str) -> Iterator[str]:
    """Encoded words, which readers put together without what is between them."""
    piece = b""
    for one in text:
        character = one.encode()
        if len(piece) + len(character) > _WORD_BYTES:
            yield _encoded_word(piece)
            piece = b""
        piece += character
    yield _encoded_word(piece)


def _encoded_word(piece: bytes) -> str:
    quoted = "".join(chr(one) if one in _PLAIN else "_" if one == 32 else f"={one:02X}" for one in piece)
    if len(quoted) <= _WORD_ROOM:  # which people can read
        return f"=?utf-8?q?{quoted}?="
    return f"=?utf-8?b?{b64encode(piece).decode()}?="


def _folded(name: str, words: Iterable[str]) -> bytes:
    """Broken before words, where a line would be longer than usual. A space is where it was, but for the break."""
    lines = [f"{name}:"]
    is_begun = False
    for word in words:
        if word and is_begun and len(lines[-1]) + 1 + len(word) > _USUAL_LINE:
            lines.append("")
        lines[-1] += f" {word}"
        is_begun = True
    return "\r\n".join([*lines, ""]).encode("ascii")
