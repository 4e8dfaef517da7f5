"""Forgetting mails: whose they are, and how little is read for that."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event

from consumers.admin.test_forget import forgotten, found, person, put, shop
from consumers.mail.mail_queue import rows_of
from consumers.pipeline import Pipeline, Play
from oyez.consumers.database import Database
from oyez.consumers.database.tables import mail
from oyez.consumers.reports.personal import stored, whole


def test_a_mail_that_goes_to_others_too_is_left(play: Play) -> None:
    pipeline = play(shop(set()))
    for n, to in enumerate((["anna@a.example"], ["anna@a.example", "bert@a.example"])):
        (row,) = rows_of([n], pipeline.clock.now, source="w", event_id=f"e{n}", recipients=json.dumps(to))
        put(pipeline, mail, **row)
    assert forgotten(pipeline, "anna@a.example")["mail"].removed == 1
    assert pipeline.rows("mail", "recipients") == ['["anna@a.example", "bert@a.example"]']


@contextmanager
def contents_read(pipeline: Pipeline) -> Iterator[list[str]]:
    """The statements that read what is in mails."""
    seen: list[str] = []

    def look(_db: object, _cursor: object, statement: str, *_more: object) -> None:
        if "oyez_mail.content" in statement:
            seen.append(statement)

    event.listen(pipeline.engine, "before_cursor_execute", look)
    yield seen
    event.remove(pipeline.engine, "before_cursor_execute", look)


def test_what_is_in_mails_is_read_only_of_what_is_exported(play: Play) -> None:
    """Of all mails of an application it is asked whose they are, and they may be large."""
    pipeline = play(shop(set()))
    for n, to in enumerate(("bert@a.example", "anna@a.example", "carl@a.example")):
        (row,) = rows_of([n], pipeline.clock.now, source="w", event_id=f"e{n}", recipients=json.dumps([to]))
        put(pipeline, mail, **row)
    who = person(pipeline, "anna@a.example")
    with contents_read(pipeline) as read, Database(pipeline.engine).reading() as db:
        assert found(pipeline, who).counts["mail"] == 1
        (one,) = stored(db, who, [])
        assert read == []
        exported = whole(db, one)
        assert len(read) == 1
    assert (exported["subject"], exported["recipients"]) == ("mail 1", '["anna@a.example"]')
    assert "hello" in exported["content"]
    with contents_read(pipeline) as read:
        assert forgotten(pipeline, "anna@a.example")["mail"].removed == 1
    assert read == []
    with Database(pipeline.engine).reading() as db:
        assert whole(db, one)["id"] == one.number
