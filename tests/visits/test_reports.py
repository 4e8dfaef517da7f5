"""The report and the export, from the database alone."""

from __future__ import annotations

import csv
from dataclasses import asdict
from io import StringIO

import pytest
from sqlalchemy import Engine, create_engine, insert

from visits import tables
from visits.database import connected, existing
from visits.errors import NOT_FOUND, UNREACHABLE, VisitsError
from visits.reports import EXPORTED, Report, export, report

ROWS = [
    ("b" * 16, "v1", 100, 190, 3, "/in?a=1", '/out "quoted", with commas', 7),
    ("a" * 16, "v1", 9000, 9000, 1, "/", "/", 9),
    ("c" * 16, "v2", 100, 100, 1, "/é", "/é", 8),
]


@pytest.fixture
def engine(database: str) -> Engine:
    """A database that holds an import."""
    engine = create_engine(database)
    with engine.begin() as db:
        tables.metadata.create_all(db)
        names = tables.visits.c.keys()
        db.execute(insert(tables.visits), [dict(zip(names, row, strict=True)) for row in ROWS])
        noted = {"topic": "t", "log": "a.log", "servers": 3, "lines": 9, "unparsed_lines": 2}
        db.execute(insert(tables.imports), noted)
    return engine


def test_the_report_counts_what_is_there(engine: Engine) -> None:
    with connected(engine) as db:
        figures = report(db)
    assert figures == Report(2, 5, 2, 3, 2, 3)
    assert all(type(value) is int for value in asdict(figures).values())


def test_the_export_is_csv_by_session(engine: Engine) -> None:
    out = StringIO()
    with connected(engine) as db:
        export(db, out)
    header, *rows = csv.reader(StringIO(out.getvalue()))
    assert header == EXPORTED
    assert [row[0][0] for row in rows] == ["a", "b", "c"]
    assert rows[1][1:] == ["100", "190", "3", "/in?a=1", '/out "quoted", with commas']


def test_an_import_of_nothing_reports_nothing(database: str) -> None:
    engine = create_engine(database)
    with engine.begin() as db:
        tables.metadata.create_all(db)
        assert report(db) == Report(0, 0, 0, 0, 0, 0)


def test_a_database_without_an_import_is_one_line(database: str) -> None:
    with pytest.raises(VisitsError, match="no import in") as refused:
        existing(database)
    assert refused.value.status == NOT_FOUND


def test_a_database_that_is_not_there_is_one_line() -> None:
    with pytest.raises(VisitsError) as refused:
        existing("postgresql+psycopg://nobody:secret@127.0.0.1:1/none")
    assert refused.value.status == UNREACHABLE
    assert "secret" not in str(refused.value)
    assert "\n" not in str(refused.value)
