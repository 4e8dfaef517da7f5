"""What a form has counted is what is done when it is confirmed, and nothing that came since."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import insert, update

from consumers.dashboard.test_queues import fields_of, queue, states
from consumers.dashboard.visiting import visitor
from consumers.pipeline import TOPIC, Pipeline, Placed, Play
from oyez.consumers import Handlers
from oyez.consumers.dashboard import Access
from oyez.consumers.database.tables import mail, outbox

on = Handlers("shop")


@on(Placed)
def place(_event: Placed) -> None: ...


@pytest.fixture
def pipeline(play: Play) -> Pipeline:
    return play(on)


def test_what_a_mail_has_become_since_it_was_counted_is_not_confirmed(pipeline: Pipeline) -> None:
    """One that was waiting then has failed since: it is not among those that were to be purged."""
    queue(pipeline, range(3), state="failed", attempts=1)
    queue(pipeline, range(3, 5))
    client = visitor(pipeline, Access.act())
    asked = client.send("/mail/purge", state="failed")
    assert "<strong>3 mails.</strong>" in asked.text
    pipeline.clock.now += 1.0
    with pipeline.engine.begin() as db:
        first = mail.c.subject == "mail 3"
        db.execute(update(mail).where(first).values(id=0, state="failed", changed_at=pipeline.clock.now))
    client.send("/mail/purge", **fields_of(asked.text))
    assert states(pipeline.engine) == {"mail 3": "failed", "mail 4": "waiting"}


def test_what_is_refused_after_it_was_counted_is_not_tried_again(pipeline: Pipeline) -> None:
    def put(**more: Any) -> None:
        said = {"topic": TOPIC, "key": "k", "value": b"{}", "announced_at": pipeline.clock.now}
        with pipeline.engine.begin() as db:
            db.execute(insert(outbox), [{**said, **more}])

    put(refused="too large")
    client = visitor(pipeline, Access.act())
    asked = client.send("/outbox/retry")
    assert "1 event" in asked.text
    put(refused="too large as well")
    assert client.send("/outbox/retry", **fields_of(asked.text)).status_code == 303
    assert pipeline.rows("outbox", "refused") == [None, "too large as well"]
    assert "1 event" in client.send("/outbox/retry", confirmed="yes").text, "nobody has counted"
