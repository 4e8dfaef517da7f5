"""What may have a password in it, as it may be shown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import URL

HIDDEN = "***"
HARMLESS = frozenset(
    {
        "application_name",
        "cache",
        "dbname",
        "host",
        "hostaddr",
        "mode",
        "port",
        "service",
        "sslmode",
        "target_session_attrs",
        "uri",
        "user",
    }
)
"""What of a database address's query is shown. Drivers take passwords under names of their own."""

_WITH_LOGIN = re.compile(r"(?<!\S)[^\s@]*+@\S*+")
_LOGIN = re.compile(r"(?<![\w+.-])([\w+.-]++://[^\s/:@]*:)\S+")
_BY_NAME = re.compile(
    r"""
    ( (?:password|passwd|passphrase|secret|token) (?:\\?["']\]?)? (?:[ \t]*=[ \t]*|:\s*(?=b?\\?["'])) )
    (?:
      (b?\\["']) (?:\\\\(?:\\.|.)|\\[^"'\\]|[^\\\r\n])*                  # a text in a text
    | (b?") (?:\\.|[^"\\\r\n])*
    | (b?') (?:\\+.|[^'\\\r\n])*                                         # as Python, or Python in JSON, writes it
    | (?:\\[^"'\s]|\\[ ]|[^\s&"'\\]|["'](?![\s,;:)\]}>]|$))+
    )
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""A value after a name that says what it is: up to its quote, or to the end of the line if that is missing."""


def shown(address: URL | str) -> str:
    """A database address without its password, wherever that stands."""
    from sqlalchemy import make_url  # noqa: PLC0415 # whoever has an address of a database has SQLAlchemy, nobody else
    from sqlalchemy.exc import ArgumentError  # noqa: PLC0415 # as above

    try:
        found = make_url(address)
    except (ArgumentError, ValueError):
        return HIDDEN
    # An @ in a password that was not written as %40 leaves the rest of the password in the host.
    host = found.host and found.host.rpartition("@")[2]
    # For libpq, and so in the path too, the name of a database may be a whole address.
    database = found.database and without_passwords(found.database)
    plain = found.set(host=host, database=database, query={}).render_as_string(hide_password=True)
    query = "&".join(f"{name}={_part(name, value)}" for name, value in found.query.items())
    return f"{plain}?{query}" if query else plain


def without_passwords(text: str) -> str:
    """A text of whatever origin without what looks like a password: in an address, or after a name that says so."""
    return _BY_NAME.sub(_hidden, _WITH_LOGIN.sub(_without_login, text))


def _without_login(found: re.Match[str]) -> str:
    """An address without its password, which ends at the last @, since there may be others in it."""
    login, at, place = found[0].rpartition("@")
    return _LOGIN.sub(rf"\1{HIDDEN}", login) + at + place


def _hidden(found: re.Match[str]) -> str:
    return "".join([*filter(None, found.groups()), HIDDEN])


def _part(name: str, value: str | tuple[str, ...]) -> str:
    if name not in HARMLESS:
        return HIDDEN
    return without_passwords(value if isinstance(value, str) else ",".join(value))
