"""Queueing is part of the handler's transaction, and happens once for an event."""

from __future__ import annotations

import json
from email import message_from_bytes
from email.policy import default

from sqlalchemy.orm import Session

from consumers.inline_stage import Make
from consumers.stage import Placed, Play, Stage, note, placed
from oyez.consumers import Attachment, Handlers, Mail
from oyez.schemas import Event


def subjects(stage: Stage) -> list[str]:
    return list(stage.rows("mail", "subject"))


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

    stage = play(on)
    stage.handle(Placed())
    ((state, rank, recipients, content, at),) = stage.rows(
        "mail", "state", "rank", "recipients", "content", "queued_at"
    )
    assert (state, rank) == ("waiting", 2)
    assert json.loads(recipients) == ["ann@a.example", "bob@b.example", "c@c.example", "d@d.example"]
    assert abs(at - stage.clock.now) < 10
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

    stage = play(on)
    stage.handle(*placed(range(8)))
    assert sorted(subjects(stage)) == [f"placed {n}" for n in range(8) if n not in (2, 5)]
    stage.later()
    assert len(subjects(stage)) == 6
    broken.clear()
    stage.later()
    assert sorted(subjects(stage)) == [f"placed {n}" for n in range(8)]
    assert len(set(stage.rows("mail", "message_id"))) == 8


def test_an_event_that_is_handled_again_queues_nothing_again(play: Play) -> None:
    on = Handlers("shop")

    @on(Placed)
    def thank(event: Placed, mail: Mail, db: Session) -> None:
        sends(mail, 1)
        sends(mail, 2)
        note(db, "thank", event.n)

    stage = play(on)
    stage.handle(Placed())
    with stage.engine.begin() as db:
        db.exec_driver_sql("DELETE FROM oyez_inbox")
        db.exec_driver_sql("UPDATE oyez_position SET position = 0")
    stage.later(60)
    assert stage.effects() == [0, 0]
    assert subjects(stage) == ["placed 1", "placed 2"]


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

    stage = play(on)
    stage.handle(Placed())
    assert subjects(stage) == ["placed 1", "placed 3"]


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

    stage = play(on)
    stage.handle(*placed(range(3)))
    assert subjects(stage) == []
    broken.clear()
    stage.later()
    assert sorted(subjects(stage)) == [*(f"event {n}" for n in range(3)), *(f"placed {n}" for n in range(3))]
    causes = [(source, n) for source, n in stage.rows("mail", "source", "n") if source]
    assert causes == [("web", 1)] * 3


def test_inline_the_callers_rollback_is_the_mails(inline: Make) -> None:
    on = Handlers("shop")

    @on(Placed)
    def thank(event: Placed, mail: Mail) -> None:
        sends(mail, event.n)

    stage = inline(on)
    stage.announce(Placed(n=1))
    with Session(stage.engine) as db:
        stage.announcer.announce(Placed(n=2), db=db)
        db.rollback()
    assert subjects(stage) == ["placed 1"]
