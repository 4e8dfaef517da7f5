"""What is set on a connection to PostgreSQL, and setting it back: a released savepoint keeps what was set in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, func, select, text

ROLES = ("session_authorization", "role")  # first, since what may be set depends on them
RESET = text("RESET ALL")
SETTINGS = text("""
SELECT name, setting FROM pg_settings WHERE source = 'session'
UNION ALL SELECT 'session_authorization', session_user::text
UNION ALL SELECT 'role', current_setting('role')
""")


def set_back_in_transaction(db: Connection, before: Mapping[str, str], now: Mapping[str, str]) -> None:
    """Set what has changed, for this transaction: what was set for the session before it is not known. Settings of an
    application's own (``shop.tenant``) PostgreSQL does not list: they stay."""
    changed = [name for name in {**now, **before} if now.get(name) != before.get(name)]
    for name in _roles_first(changed):
        db.execute(select(func.set_config(name, before.get(name), True)))


def set_back_session(db: Connection, before: Mapping[str, str]) -> None:
    """Let the session be as it was when the transaction began, settings of an application's own too."""
    for name in ROLES:
        db.execute(select(func.set_config(name, before[name], False)))
    db.execute(RESET)
    for name in before.keys() - set(ROLES):
        db.execute(select(func.set_config(name, before[name], False)))


def _roles_first(names: Iterable[str]) -> list[str]:
    return sorted(names, key=lambda one: (one not in ROLES, one != ROLES[0], one))
