"""Inline without its database, or without its tables: the announcer is told in one line."""

from __future__ import annotations

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from consumers.inline.inline_pipeline import Inline, chain
from consumers.pipeline import Placed, one_line
from oyez.producers import NotAnnounced


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("postgresql+psycopg://nobody:secret@127.0.0.1:1/none", ("127.0.0.1", "refused")),
        ("sqlite:////no/such/folder/oyez.db", ("unable to open database file",)),
    ],
)
def test_a_database_that_is_away(url: str, parts: tuple[str, ...]) -> None:
    pipeline = Inline(url, chain())
    attempts: list[int] = []
    event.listen(pipeline.engine, "do_connect", lambda *_: attempts.append(1))
    for db in (None, Session(pipeline.engine)):
        with pytest.raises(NotAnnounced) as caught:
            pipeline.announcer.announce(Placed(n=3), db=db)
        message = one_line(caught.value, "placed was not announced", "database", *parts)
        assert "secret" not in message
        assert caught.value.event.data == Placed(n=3)
        assert caught.value.event.key == "k1"
    assert len(attempts) <= 4, "a caller is told, it does not wait until the database is back"
    assert pipeline.announcer.announced == 0
    pipeline.close()


def test_a_database_without_tables(sqlite: str) -> None:
    pipeline = Inline(sqlite, chain())
    with pytest.raises(NotAnnounced) as caught:
        pipeline.announcer.announce(Placed(n=3))
    one_line(caught.value, "placed was not announced", sqlite, "oyez db upgrade")
    pipeline.close()
