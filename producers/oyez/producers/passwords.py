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

_IN_ADDRESS = re.compile(r"([\w+.-]+://[^\s/:@]*:)\S+(?=@)")
_BY_NAME = re.compile(
    r"""((?:password|passwd|passphrase|secret|token)(?:\\?["'])?(?:=|:\s*(?=\\?["']))(?:\\?["'])?)[^\s&"'\\]+""",
    re.IGNORECASE,
)


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
    plain = found.set(host=host, query={}).render_as_string(hide_password=True)
    query = "&".join(f"{name}={_part(name, value)}" for name, value in found.query.items())
    return f"{plain}?{query}" if query else plain


def without_passwords(text: str) -> str:
    """A text of whatever origin without what looks like a password: in an address, or after a name that says so."""
    return _BY_NAME.sub(rf"\1{HIDDEN}", _IN_ADDRESS.sub(rf"\1{HIDDEN}", text))


def _part(name: str, value: str | tuple[str, ...]) -> str:
    if name not in HARMLESS:
        return HIDDEN
    return value if isinstance(value, str) else ",".join(value)
