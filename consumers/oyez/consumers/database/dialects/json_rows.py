"""Many rows in one parameter: a JSON text, for databases that can read one as a table."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Text, bindparam, func
from sqlalchemy.types import TypeEngine

from .rows import NAME, Rows


class JsonRows(Rows):
    """Rows that are read from an array of arrays by SQLite's ``json_each``."""

    def __init__(self, types: Mapping[str, type[TypeEngine[Any]]]) -> None:
        table = func.json_each(bindparam(NAME, type_=Text)).table_valued("value", name=NAME)
        columns = {
            name: func.json_extract(table.c.value, f"$[{at}]", type_=kind)
            for at, (name, kind) in enumerate(types.items())
        }
        super().__init__(table, columns)

    def bind(self, rows: Sequence[Sequence[object]]) -> dict[str, object]:
        return {NAME: json.dumps(rows)}
