"""Queueing is part of the handler's transaction, and happens once for an event."""

from __future__ import annotations

import json
from email import message_from_bytes
from email.policy import default

from sqlalchemy.orm import Session

from consumers.inline.inline_pipeline import Make
from consumers.pipeline import Pipeline, Placed, Play, note, placed
from oyez.consumers import Attachment, Handlers, Mail
from oyez.schemas import Event


def subjects(pipeline: Pipeline) -> list[str]:
    return list(pipeline.rows("mail", "subject"))


def sends(mail: Mail, n: int) -> None:
    mail.send(to=f"u{n}@a.example", subject=f"placed {n}", text="thank you")


def test_a_handler_queues_a_mail(play: Play) -> None:
    on = Handlers("shop")

    @on(Placed)
    def thank(event: Placed, mail: Mail) -> None:
        mail.send(
            to=["Ann <ann@a.example>", "bob@b.example"],
            cc="cäsar@c.example" if event.n else "c@c.example",
            bcc="d@d.example",
            reply_to="shop@shop.example",
            subject="Grüße, 1 order",
            text="thank yöu",
            html="<p>thank you</p>",
            attachments=[Attachment("bill.pdf", b"%PDF")],
            headers={"X-Order": "17"},
            priority=7,
        )

    pipeline = play(on)
    pipeline.handle(Placed())
    ((state, rank, recipients, content, at),) = pipeline.rows(
        "mail", "state", "rank", "recipients", "content", "queued_at"
    )
    assert (state, rank) == ("waiting", 2)
    assert json.loads(recipients) == ["ann@a.example", "bob@b.example", "c@c.example", "d@d.example"]
    assert abs(at - pipeline.clock.now) < 10
    message = message_from_bytes(content, policy=default)
    assert message["To"] == "Ann <ann@a.example>, bob@b.example"
    assert (message["Cc"], message["Bcc"]) == ("c@c.example", None)
    assert (message["Subject"], message["X-Order"]) == ("Grüße, 1 order", "17")
    assert message["Reply-To"] == "shop@shop.example"
    body = message.get_body(("plain",))
    assert body is not None
    assert body.get_content().strip() == "thank yöu"
    assert [part.get_filename() for part in message.iter_attachments()] == ["bill.pdf"]
    assert content.isascii()


def test_queued_and_then_failed_is_not_queued(play: Play) -> None:
    on = Handlers("shop")
    broken = {2, 5}

    @on(Placed, order="none")
    def thank(event: Placed, mail: Mail) -> None:
        sends(mail, event.n)
        if event.n in broken:
            raise KeyError("bill")

    pipeline = play(on)
    pipeline.handle(*placed(range(8)))
    assert sorted(subjects(pipeline)) == [f"placed {n}" for n in range(8) if n not in (2, 5)]
    pipeline.later()
    assert len(subjects(pipeline)) == 6
    broken.clear()
    pipeline.later()
    assert sorted(subjects(pipeline)) == [f"placed {n}" for n in range(8)]
    assert len(set(pipeline.rows("mail", "message_id"))) == 8


def test_an_event_that_is_handled_again_queues_nothing_again(play: Play) -> None:
    on = Handlers("shop")

    @on(Placed)
    def thank(event: Placed, mail: Mail, db: Session) -> None:
        sends(mail, 1)
        sends(mail, 2)
        note(db, "thank", event.n)

    pipeline = play(on)
    pipeline.handle(Placed())
    with pipeline.engine.begin() as db:
        db.exec_driver_sql("DELETE FROM oyez_inbox")
        db.exec_driver_sql("UPDATE oyez_position SET position = 0")
    pipeline.later(60)
    assert pipeline.effects() == [0, 0]
    assert subjects(pipeline) == ["placed 1", "placed 2"]


def test_a_savepoint_that_is_undone_takes_its_mail_with_it(play: Play) -> None:
    on = Handlers("shop")

    @on(Placed)
    def thank(event: Placed, mail: Mail, db: Session) -> None:
        sends(mail, 1)
        try:
            with db.begin_nested():
                sends(mail, 2)
                raise ValueError
        except ValueError:
            sends(mail, 3)

    pipeline = play(on)
    pipeline.handle(Placed())
    assert subjects(pipeline) == ["placed 1", "placed 3"]


def test_a_handler_of_batches_queues(play: Play) -> None:
    on = Handlers("shop")
    broken = [True]

    @on(Placed, order="none")
    def thank(events: list[Event[Placed]], mail: Mail) -> None:
        for one in events:
            sends(mail, one.data.n)
            mail.send(to="a@a.example", subject=f"event {one.data.n}", text="", cause=one)
        if broken:
            raise KeyError("bill")

    pipeline = play(on)
    pipeline.handle(*placed(range(3)))
    assert subjects(pipeline) == []
    broken.clear()
    pipeline.later()
    assert sorted(subjects(pipeline)) == [
        *(f"event {n}" for n in range(3)),
        *(f"placed {n}" for n in range(3)),
    ]
    causes = [(source, n) for source, n in pipeline.rows("mail", "source", "n") if source]
    assert causes == [("web", 1)] * 3


def test_inline_the_callers_rollback_is_the_mails(inline: Make) -> None:
    on = Handlers("shop")

    @on(Placed)
    def thank(event: Placed, mail: Mail) -> None:
        sends(mail, event.n)

    pipeline = inline(on)
    pipeline.announce(Placed(n=1))
    with Session(pipeline.engine) as db:
        pipeline.announcer.announce(Placed(n=2), db=db)
        db.rollback()
    assert subjects(pipeline) == ["placed 1"]
