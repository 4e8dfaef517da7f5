"""Domains as they are looked up: IDNA 2008 by the package `idna`, with the mapping of UTS 46."""

from __future__ import annotations

import re

LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
DOMAIN = re.compile(rf"{LABEL}(?:\.{LABEL})*|\[[0-9A-Fa-f.:]+\]|\[IPv6:[0-9A-Fa-f.:]+\]")
LONGEST = 253  # characters, as the DNS allows


def in_ascii(domain: str) -> str:
    """A domain in its ASCII form. One that is ASCII is nobody's guess, and stays as it is.

    Python's own codec is that of 2003, by which straße.example is strasse.example, another domain. Raises ValueError,
    with the reason, for what no registry would take today.
    """
    if domain.isascii():
        return domain
    if len(domain) > LONGEST:
        raise ValueError(f"it has more than {LONGEST} characters")
    import idna  # noqa: PLC0415 # its tables are for domains that are not ASCII

    try:
        return idna.encode(domain, uts46=True).decode()
    except UnicodeError as error:
        raise ValueError(" ".join(str(error).split())) from None
