"""Addresses: read strictly, so that nothing in one can be taken for another one, or for a header."""

from __future__ import annotations

import re
from collections.abc import Iterable
from email.headerregistry import Address

from .domains import DOMAIN, in_ascii
from .errors import MailRefused
from .header_text import wrong_with

LONGEST = 254  # characters, as SMTP allows
LONGEST_NAME = 300  # characters: with each of them quoted, a line has room for it and an address
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LOCAL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_NAMED = re.compile(r"(?P<name>[^<>]*)<(?P<address>[^<>]*)>")

Addresses = str | Iterable[str]


def parse(text: object) -> Address:
    """One address, `a@b.example` or `Name <a@b.example>`; raises `MailRefused`.

    A domain that is not ASCII is written in its ASCII form (IDNA 2008); a local part that is not is refused.
    """
    if not isinstance(text, str) or not text.strip():
        raise MailRefused(f"mail: the address {text!r} is none; write a@b.example or Name <a@b.example>")
    if wrong := wrong_with(text):
        raise MailRefused(f"mail: the address {text[:80]!r} {wrong}")
    found = _NAMED.fullmatch(text.strip())
    name, address = (found["name"].strip(), found["address"].strip()) if found else ("", text.strip())
    if len(name) > 1 and name[0] == name[-1] == '"':
        name = name[1:-1]
    return Address(display_name=_name(name.replace("\\", "").strip()), addr_spec=_checked(address, text))


def parse_all(given: Addresses | None) -> list[Address]:
    """One address or several; raises `MailRefused`."""
    if given is None:
        return []
    return [parse(one) for one in ([given] if isinstance(given, str) else given)]


def _name(name: str) -> str:
    if wrong := wrong_with(name):  # without its backslashes it may be another text
        raise MailRefused(f"mail: the name {name[:80]!r} {wrong}")
    if len(name) > LONGEST_NAME:
        raise MailRefused(f"mail: the name {name[:80]!r}… has more than {LONGEST_NAME} characters")
    return name


def _checked(address: str, said: str) -> str:
    local, at, domain = address.rpartition("@")
    if at and not domain.isascii():
        domain = _written(domain, said)
    if not local.isascii():
        raise MailRefused(f"mail: the address {said!r} is not ASCII before its @, which is not supported")
    if "=?" in local:
        raise MailRefused(
            f"mail: the address {said!r} has =? before its @, which readers take for encoded text"
        )
    if not (at and _LOCAL.fullmatch(local) and DOMAIN.fullmatch(domain)):
        raise MailRefused(
            f"mail: the address {said!r} is none; write a@b.example or Name <a@b.example>, and several as a list"
        )
    if len(local) + 1 + len(domain) > LONGEST:
        raise MailRefused(f"mail: the address {said[:80]!r}… has more than {LONGEST} characters")
    return f"{local}@{domain}"


def _written(domain: str, said: str) -> str:
    try:
        return in_ascii(domain)
    except ValueError as error:
        raise MailRefused(f"mail: the domain of the address {said[:80]!r} is none: {error}") from None
