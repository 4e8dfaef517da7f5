"""How many connections a PostgreSQL server, a database and a role have left."""

from __future__ import annotations

from sqlalchemy import text

FREE = text("""
WITH me AS (SELECT rolname, rolsuper, rolconnlimit FROM pg_roles WHERE rolname = current_user),
mine AS (SELECT datname, datconnlimit FROM pg_database WHERE datname = current_database()),
open AS (SELECT datname, usename FROM pg_stat_activity WHERE backend_type = 'client backend')
SELECT greatest(0, least(
    current_setting('max_connections')::int - (SELECT count(*) FROM open)
        - CASE WHEN rolsuper THEN 0 ELSE current_setting('superuser_reserved_connections')::int
            + coalesce(current_setting('reserved_connections', true), '0')::int END,
    CASE WHEN rolsuper OR rolconnlimit < 0 THEN NULL
        ELSE rolconnlimit - (SELECT count(*) FROM open WHERE usename = rolname) END,
    CASE WHEN rolsuper OR datconnlimit < 0 THEN NULL
        ELSE datconnlimit - (SELECT count(*) FROM open WHERE open.datname = mine.datname) END
)) FROM me, mine
""")
"""Everybody sees how many there are, and of whom; a superuser is let in everywhere."""
