"""Reading a database's address, with what to do about one that cannot be read."""

from __future__ import annotations

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from oyez.producers.passwords import without_passwords

from .dialects.errors import DatabaseError
from .dialects.lookup import dialect_named

SETTING = "the database address (OYEZ_DATABASE)"
QUOTING = "in a user or a password, write @ : / ? % as %40 %3A %2F %3F %25"
FORM = "postgresql+psycopg://user@host/name or sqlite:///file.db"


def read_address(text: str) -> URL:
    """The address. Raises `DatabaseError`, which shows nothing of it: there may be a password in any part of it."""
    if text.strip().strip("'\"").strip() != text:
        raise DatabaseError(
            f"{SETTING} cannot be read: it begins or ends with a quote, a blank or a line break; leave that out"
        )
    try:
        address = make_url(text)
    except ArgumentError:
        raise DatabaseError(f"{SETTING} cannot be read: write it as {FORM}") from None
    except ValueError:
        raise DatabaseError(f"{SETTING} cannot be read: its port is no number; {QUOTING}") from None
    if "@" in (address.host or ""):
        raise DatabaseError(f"{SETTING} cannot be read: there is an @ in its host; {QUOTING}")
    dialect = dialect_named(address.get_backend_name())
    _refuse_async(address, dialect.plain_address)
    return address


def _refuse_async(address: URL, plain: str) -> None:
    try:
        is_async = address.get_dialect().is_async
    except (ArgumentError, NoSuchModuleError) as error:
        raise unreadable(error) from None
    if is_async:
        raise DatabaseError(f"the database driver {address.drivername} is an asynchronous one; write {plain}")


def unreadable(error: Exception) -> DatabaseError:
    """What SQLAlchemy has against an address."""
    return DatabaseError(f"{SETTING} cannot be read: {without_passwords(' '.join(str(error).split()))}")
