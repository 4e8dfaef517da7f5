"""Wall clocks that are wrong, and can be turned while processes run by them. What they wait by, is right."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import Engine

DAY = 86_400.0
HOUR = 3_600.0
_INJECTED = Path(__file__).parent / "wall_clock"


class WrongClock:
    """A wall clock that is off by so many seconds. ``file`` says by how much; it is made."""

    def __init__(self, file: Path, off: float = 0.0) -> None:
        self._file = file
        self.turn(off)

    def turn(self, off: float) -> None:
        """Set it, at once and whole."""
        half = self._file.with_suffix(".half")
        half.write_text(f"{off:+.0f}\n")
        half.replace(self._file)

    def for_python(self, *paths: Path) -> Mapping[str, str]:
        """The environment of a Python process that goes by it, with these folders among its modules'.

        It is injected: with libfaketime 0.9.10, `time.sleep` of Python 3.11 fails, or `Event.wait` never ends.
        """
        path = os.pathsep.join(map(str, (_INJECTED, *paths)))
        return {"PYTHONPATH": path, "WALL_CLOCK_OFF": str(self._file)}


class InjectedDatabaseClock:
    """The clock of a PostgreSQL database, off by so many seconds: another function of the same name comes first."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        name = engine.url.database
        self._run(
            "CREATE TABLE public.clock_off (seconds double precision)",
            "INSERT INTO public.clock_off VALUES (0)",
            "CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS $$ SELECT "
            "pg_catalog.clock_timestamp() + make_interval(secs => (SELECT seconds FROM public.clock_off)) $$",
            f"ALTER DATABASE {name} SET search_path = public, pg_catalog",
        )

    def turn(self, off: float) -> None:
        """Set it, at once."""
        self._run(f"UPDATE public.clock_off SET seconds = {off:f}")

    def _run(self, *statements: str) -> None:
        with self._engine.begin() as db:
            for statement in statements:
                db.exec_driver_sql(statement)
