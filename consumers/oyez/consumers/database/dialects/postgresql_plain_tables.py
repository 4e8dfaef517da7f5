"""Whether it makes no difference to a PostgreSQL table if its rows come in one statement or in many."""

from __future__ import annotations

from typing import Any

_IS_PLAIN = """
SELECT c.relkind = 'r' AND NOT c.relhasrules AND NOT c.relrowsecurity AND current_setting('array_nulls') = 'on'
AND NOT EXISTS (
    SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND (NOT t.tgisinternal OR t.tgconstrrelid = c.oid)
)
AND NOT EXISTS (
    SELECT FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid
    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND y.typtype NOT IN ('b', 'e')
)
AND NOT EXISTS (
    SELECT FROM pg_attrdef a
    JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = a.oid
    WHERE a.adrelid = c.oid AND d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass)
)
AND NOT EXISTS (
    SELECT FROM pg_constraint k
    JOIN pg_depend d ON d.classid = 'pg_constraint'::regclass AND d.objid = k.oid
    WHERE k.conrelid = c.oid AND d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass)
)
FROM pg_class c WHERE c.oid = to_regclass(%s)
"""


def is_plain(cursor: Any, table: str, insert: str) -> bool:
    """Whether a table, by its name as statements have it, has nothing that sees the rows of a statement come: no
    triggers, rules, policies, references to itself, and no function of its owner's in a default or a check; and NULL in
    an array is no word. It stays so until the transaction ends, or goes back to a savepoint before this.

    ``insert`` is an INSERT into it. Explaining it takes the lock of an INSERT, and does nothing: as long as that is
    held nobody can give the table a trigger.
    """
    cursor.execute(f"EXPLAIN {insert}")
    cursor.execute(_IS_PLAIN, (table,))
    [(found,)] = cursor.fetchall()
    return bool(found)
