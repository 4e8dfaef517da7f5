"""Nothing that a handler is given can become another header or another recipient."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from email import message_from_bytes
from typing import Any

import idna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.mail.conftest import Open
from consumers.pipeline import Placed, Play
from oyez.consumers import Attachment, Handlers, Mail, MailRefused
from oyez.consumers.mail.addresses import parse
from oyez.consumers.mail.message import Parts, compose
from oyez.schemas import Event


@pytest.mark.parametrize(
    ("said", "name", "address"),
    [
        ("a@b.example", "", "a@b.example"),
        ("Ann Lee <a.b+c@b.example>", "Ann Lee", "a.b+c@b.example"),
        ('"Lee, Ann" <a@b.example>', "Lee, Ann", "a@b.example"),
        ("Änne <a@bücher.example>", "Änne", "a@xn--bcher-kva.example"),
        ("a@straße.example", "", "a@xn--strae-oqa.example"),
        ("a@BÜCHER。example", "", "a@xn--bcher-kva.example"),
        ("a@\uff45xample.com", "", "a@example.com"),
        ("a@xn--i-7iq.ws", "", "a@xn--i-7iq.ws"),
        ("a@ab--cd.example", "", "a@ab--cd.example"),
        ("<a@b>", "", "a@b"),
        ("root@[127.0.0.1]", "", "root@[127.0.0.1]"),
    ],
)
def test_addresses(said: str, name: str, address: str) -> None:
    found = parse(said)
    assert (found.display_name, found.addr_spec) == (name, address)


@pytest.mark.parametrize(
    "said",
    [
        "",
        " ",
        "nobody",
        "a@",
        "@b.example",
        "a@b.example, c@d.example",
        "a@b.example\nBcc: c@d.example",
        "a@b.example\r\n",
        "Ann\r\nBcc: x@y.example <a@b.example>",
        "Ann <a@b.example> <c@d.example>",
        "a b@c.example",
        "a@b..example",
        "a@-b.example",
        ".a@b.example",
        "ä@b.example",
        "a@b.example>",
        "a\0@b.example",
        "a@i❤.ws",
        "a@b\u200dc.example",
        "a@ä..example",
        "a@ä.example.",
        "a@ä_b.example",
        "a@" + "ä" * 60 + ".example",
        "a@" + "ä" * 5_000 + ".example",
        "a@" + "b" * 64 + ".example",
        "a" * 250 + "@b.example",
        None,
        17,
    ],
)
def test_what_is_no_address(said: Any) -> None:
    with pytest.raises(MailRefused, match="address"):
        parse(said)


@settings(deadline=None)
@given(st.text(alphabet="aßäéς‌א中Σ1-.。_ß", min_size=1, max_size=12))
def test_a_domain_is_refused_or_the_one_that_idna_2008_has(domain: str) -> None:
    try:
        found = parse(f"a@{domain}.example").domain
    except MailRefused:
        return
    assert found.isascii()
    if not domain.isascii():
        assert idna.encode(f"{domain}.example", uts46=True).decode() == found
        assert idna.encode(idna.decode(found)).decode() == found


@settings(deadline=None)
@given(st.text(max_size=60))
def test_an_address_is_never_more_than_one_line(said: str) -> None:
    try:
        found = parse(said)
    except MailRefused:
        return
    content = compose(Parts("<1@a>", [found], [], [], "s", "t", None, [], {}))
    head = content.split(b"\r\n\r\n")[0]
    names = [line.split(b":")[0] for line in head.split(b"\r\n") if not line.startswith((b" ", b"\t"))]
    assert names == [
        b"Message-ID",
        b"To",
        b"Subject",
        b"Content-Type",
        b"Content-Transfer-Encoding",
        b"MIME-Version",
    ]


@settings(deadline=None)
@given(st.text(max_size=300), st.text(max_size=300))
def test_any_text_is_a_mail_with_crlf_alone(subject: str, text: str) -> None:
    try:
        content = compose(Parts("<1@a>", [parse("a@b.example")], [], [], subject, text, text, [], {}))
    except MailRefused:
        return
    bare = content.replace(b"\r\n", b"")
    assert b"\r" not in bare
    assert b"\n" not in bare
    assert content.isascii()
    assert content.endswith(b"\r\n")
    assert max(len(line) for line in content.split(b"\r\n")) <= 998
    assert message_from_bytes(content)["Bcc"] is None


def refusal(play: Play, **said: Any) -> str:
    """Why a mail is refused: the reason of the dead letter of its event."""
    on = Handlers("shop")

    @on(Placed)
    def thank(event: Placed, mail: Mail) -> None:
        mail.send(**({"to": "a@b.example", "subject": "thanks", "text": "thank you"} | said))

    pipeline = play(on, mail_size=20_000)
    pipeline.handle(Placed())
    assert pipeline.rows("mail", "id") == []
    ((_, _, reason),) = pipeline.dead()
    assert reason == "rejected by its handler"
    (error,) = pipeline.rows("dead", "error")
    return str(error)


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"to": "a@b.example\nBcc: c@d.example"}, "control characters"),
    ({"cc": ["a@b.example", "broken"]}, "'broken' is none"),
    ({"sender": "shop"}, "'shop' is none"),
    ({"to": []}, "no recipients"),
    ({"to": [f"a{n}@b.example" for n in range(101)]}, "101 recipients"),
    ({"subject": "hi\r\nBcc: c@d.example"}, "the subject has line breaks"),
    ({"subject": "hi\u2028there"}, "the subject has line breaks"),
    ({"subject": None}, "the subject is a str"),
    ({"subject": "=?utf-8?q?hi=0d=0aBcc:_e@x.example?="}, "the subject has an encoded word"),
    ({"subject": "half \ud800"}, "half characters"),
    ({"to": "=?utf-7?q?+2AA-?= <a@b.example>"}, "has an encoded word"),
    ({"sender": "=?utf-7?q?+2AA-?= <a@b.example>"}, "has an encoded word"),
    ({"headers": {"X-A": "=?utf-7?q?+2AA-?="}}, "the header X-A has an encoded word"),
    ({"headers": {"X-A": "b\nBcc: c@d.example"}}, "the header X-A has line breaks"),
    ({"headers": {"X-A: b\nBcc": "c@d.example"}}, "cannot name a header"),
    ({"headers": {"bcc": "c@d.example"}}, "is written by Oyez"),
    ({"headers": {"Resent-To": "c@d.example"}}, "is written by Oyez"),
    ({"text": None}, "no content"),
    ({"text": b"bytes"}, "are str"),
    ({"text": "x" * 30_000}, "more than OYEZ_MAIL_SIZE allows (20000)"),
    ({"priority": 10}, "not one of 0 to 9"),
    ({"priority": True}, "not one of 0 to 9"),
    ({"not_before": datetime(2030, 1, 1)}, "aware datetime"),  # noqa: DTZ001
    ({"not_before": datetime(1990, 1, 1, tzinfo=UTC)}, "more than 10 years ahead"),
    ({"not_before": datetime.max.replace(tzinfo=timezone(timedelta(hours=-12)))}, "more than 10 years ahead"),
]


@pytest.mark.parametrize(("said", "reason"), WRONG, ids=[reason for _, reason in WRONG])
def test_what_is_refused_is_a_dead_letter_with_the_reason(
    play: Play, said: dict[str, Any], reason: str
) -> None:
    assert reason in refusal(play, **said)


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [("a\r\nb.pdf", b"", None), ("", b"", None), ("a.pdf", "text", None), ("a.pdf", b"", "pdf\r\nX: y")],
)
def test_attachments_that_are_none(name: str, content: Any, kind: str | None) -> None:
    with pytest.raises(MailRefused):
        Attachment(name, content, kind)


def test_another_handlers_event_is_no_cause(play: Play) -> None:
    on = Handlers("shop")
    stranger = Event("e", "web", None, "placed", None, None, Placed())

    @on(Placed)
    def thank(event: Placed, mail: Mail) -> None:
        mail.send(to="a@b.example", subject="s", text="t", cause=stranger)

    pipeline = play(on)
    pipeline.handle(Placed())
    assert "one of the events" in pipeline.parked()[0][2]


def test_not_before(play: Play) -> None:
    on = Handlers("shop")

    @on(Placed)
    def thank(event: Placed, mail: Mail) -> None:
        when = datetime.fromtimestamp(1_000_000, UTC) + timedelta(days=1)
        mail.send(to="a@b.example", subject="s", text="t", not_before=when)
        mail.send(to="a@b.example", subject="s", text="t", not_before=when - timedelta(days=2))

    pipeline = play(on)
    pipeline.handle(Placed())
    later, now = pipeline.rows("mail", "due_at")
    assert later == 1_000_000 + 86_400
    assert now == pipeline.rows("mail", "queued_at")[0]


def test_who_it_is_from_and_to(mail_queue: Open) -> None:
    one = mail_queue(mail_sender="Käthe <shop@shop.example>")
    one.queue([1])
    one.queue([2], sender="Bob <bob@b.example>")
    one.run()
    (first, to, message), (second, _, other) = one.server.inbox.mails
    assert (first, second) == ("shop@shop.example", "bob@b.example")
    assert to == ["u1@a.example"]
    assert (message["From"], other["From"]) == (
        "=?utf-8?q?K=C3=A4the?= <shop@shop.example>",
        "Bob <bob@b.example>",
    )
    assert message["Date"] == "Mon, 12 Jan 1970 13:46:40 +0000"


def test_in_staging_all_mail_goes_to_one_address(mail_queue: Open) -> None:
    one = mail_queue(mail_override_to="Tester <test@shop.example>")
    two = '["a@a.example", "b@a.example"]'
    one.queue([1], recipients=two, remaining=two)
    one.run()
    ((_, to, message),) = one.server.inbox.mails
    assert to == ["test@shop.example"]
    assert message.get_all("X-Oyez-To") == ["a@a.example", "b@a.example"]
    assert one.states() == {"sent": 1}
