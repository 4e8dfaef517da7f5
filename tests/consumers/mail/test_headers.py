"""A header says what was given, and nothing that was given becomes another header or a body."""

from __future__ import annotations

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oyez.consumers import Attachment, MailRefused
from oyez.consumers.mail.addresses import parse, parse_all
from oyez.consumers.mail.headers import check
from oyez.consumers.mail.message import Parts, compose, from_line

HIDDEN = [
    "=?utf-8?q?hi=0d=0aBcc:_evil@x.example=0d=0a=0d=0a<h1>phish</h1>?=",
    "=?utf-8?q?hi=0aBcc:_evil@x.example?=",
    "=?utf-8?Q?hi=0dBcc:_evil@x.example?=",
    "=?utf-8?b?aGkNCkJjYzogZXZpbEB4LmV4YW1wbGU=?=",
    "hi =?utf-8?q?=0d=0aBcc:?= =?utf-8?q?_evil@x.example?=",
    "=?utf-7?q?+2AA-?=",
]


def mail(**said: Any) -> bytes:
    given = {"to": "a@b.example", "cc": None, "reply_to": None, "subject": "s", "text": "t", "html": None}
    said = given | {"attachments": [], "headers": {}} | said
    to, cc, reply_to = (parse_all(said.pop(name)) for name in ("to", "cc", "reply_to"))
    return compose(Parts("<1@a>", to, cc, reply_to, **said))


def read(content: bytes) -> EmailMessage:
    found = message_from_bytes(content, policy=default)
    assert isinstance(found, EmailMessage)
    return found


@pytest.mark.parametrize("hidden", HIDDEN)
def test_what_is_encoded_already_is_refused(hidden: str) -> None:
    named = f"{hidden} <a@b.example>"
    for said in ({"subject": hidden}, {"headers": {"X-A": hidden}}, {"to": named}, {"cc": [named]}):
        with pytest.raises(MailRefused, match=r"encoded word|is none"):
            mail(**said)
    for name in (named, f'"{hidden}" <a@b.example>', named.replace("?", "\\?", 1)):
        with pytest.raises(MailRefused, match=r"encoded word|is none"):
            parse(name)
    with pytest.raises(MailRefused):
        Attachment(f"{hidden}.pdf", b"x")


def test_an_address_that_looks_encoded_is_refused() -> None:
    with pytest.raises(MailRefused, match=r"=\?"):
        parse("=?utf-8?x?=@b.example")


def test_what_a_reader_could_take_for_encoded_is_not_written_as_it_is() -> None:
    assert b"2+2=?" not in mail(subject="2+2=?", to="2+2=? <a@b.example>")
    with pytest.raises(MailRefused, match=r"=\?"):
        Attachment("2+2=?.pdf", b"x")


@pytest.mark.parametrize(
    "lines",
    [
        b"X: =?utf-8?q?hi=0d=0aBcc:_evil?=\r\n",
        b"X: =?utf-7?q?+2AA-?=\r\n",
        b"X: a\r\nBcc: b\r\n",
        b"X: a\r\n\r\nBcc: b\r\n",
        b"X: a\rBcc: b\r\n",
        b"X: a\nBcc: b\r\n",
        b"X: a",
        b"X: \xff\r\n",
        b"X: " + b"a" * 999 + b"\r\n",
    ],
)
def test_what_reads_back_as_something_else_is_refused(lines: bytes) -> None:
    with pytest.raises(MailRefused):
        check(lines, ["X"])


def joined(text: str | None) -> str:
    return "".join((text or "").split())


SIGNS = ["=", "?", "?q?", "?=", "=?", "\r\n", "\r", "\n", " ", "  ", '"', "\\", ",", ";", "<", ">", "(", ")"]
STRANGE = [
    "=?utf-8?q?",
    "=0d=0a",
    "Bcc: x@y.example",
    "ä",
    "\u200c",
    "\u00a0",
    "\0",
    "\ud800",
    "\u2028",
    "a" * 90,
]
PIECES = st.sampled_from(SIGNS + STRANGE)
TEXTS = st.lists(PIECES | st.text(max_size=6), max_size=8).map("".join)


@settings(deadline=None, max_examples=150)
@given(TEXTS, TEXTS, TEXTS, TEXTS)
def test_all_headers_say_what_was_given_and_the_body_begins_where_it_should(
    subject: str, value: str, name: str, file: str
) -> None:
    try:
        to = parse(f"{name} <a@b.example>")
        files = [Attachment(file, b"x")]
        content = from_line(to) + mail(
            to=f"{name} <a@b.example>", subject=subject, headers={"X-A": value}, attachments=files
        )
    except MailRefused:
        return
    message = read(content)
    assert message.keys()[:5] == ["From", "Message-ID", "To", "Subject", "X-A"]
    assert sorted(message.keys()[5:]) == ["Content-Type", "MIME-Version"]
    assert (message["Subject"], message["X-A"]) == (subject.strip(" "), value.strip(" "))
    for header in ("From", "To"):
        (address,) = message[header].addresses
        # Python's reader leaves spaces between encoded words.
        assert joined(address.display_name) == joined(to.display_name)
        assert address.addr_spec == "a@b.example"
    text, attached = message.iter_parts()
    assert text.get_content() == "t\r\n"
    assert joined(attached.get_filename()) == joined(file)
    assert content.isascii()
    bare = content.replace(b"\r\n", b"")
    assert not {b"\r"[0], b"\n"[0]} & set(bare)
    assert max(map(len, content.split(b"\r\n"))) <= 998


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("What is 2+2=?", "What is 2+2=?"),
        ("Grüße an Jürgen und alle", "Grüße an Jürgen und alle"),
        ("a  b " * 40, ("a  b " * 40).strip()),
        ("ä " * 300, ("ä " * 300).strip()),
        ("注文" * 200, "注文" * 200),
    ],
)
def test_any_text_is_read_as_it_was_given(said: str, expected: str) -> None:
    assert read(mail(subject=said))["Subject"] == expected


@pytest.mark.parametrize(
    "value",
    [
        f"<https://shop.example/{'u' * 120}>",
        f"<{'1' * 70}@shop.example> <{'2' * 70}@shop.example>",
        "x" * 900,
    ],
)
def test_what_is_ascii_is_written_as_it_is(value: str) -> None:
    content = mail(headers={"List-Unsubscribe": value, "References": value})
    assert b"=?" not in content
    assert content.replace(b"\r\n ", b" ").count(b": " + value.encode() + b"\r\n") == 2


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("\u0645\u06cc\u200c\u062f <a@b.example>", "\u0645\u06cc\u200c\u062f"),
        ("Jean\u00a0Dupont <a@b.example>", "Jean\u00a0Dupont"),
        ("A\u202fB <a@b.example>", "A\u202fB"),
        (f"{'n' * 300} <a@b.example>", "n" * 300),
        (f'"{chr(34) * 150}," <a@b.example>', '"' * 150 + ","),
        ("Ann (Sales), Inc. <a@b.example>", "Ann (Sales), Inc."),
    ],
)
def test_names(said: str, name: str) -> None:
    ((read_back,), sender) = read(mail(to=[said]))["To"].addresses, parse(said)
    assert (read_back.display_name, sender.display_name) == (name, name)
    assert parse(str(sender)) == sender


@pytest.mark.parametrize("name", ["n" * 301, "ä" * 301])
def test_a_name_that_no_line_has_room_for_is_refused(name: str) -> None:
    with pytest.raises(MailRefused, match="more than 300 characters"):
        parse(f"{name} <a@b.example>")


@pytest.mark.parametrize("name", ["Jean\u00a0Dupont.pdf", "10\u202f000.pdf", "\u0645\u06cc\u200c\u062f.pdf"])
def test_names_of_attachments(name: str) -> None:
    ((attached),) = read(mail(attachments=[Attachment(name, b"x")])).iter_attachments()
    assert attached.get_filename() == name


@pytest.mark.parametrize("name", ["Content-Description", "content-language", "Content-MD5"])
def test_what_says_what_the_content_is_is_refused(name: str) -> None:
    with pytest.raises(MailRefused, match="written by Oyez"):
        mail(headers={name: "x"})


def test_headers_with_a_grammar_stay_as_they_were_given() -> None:
    content = mail(headers={"Orig-Date": "yesterday", "Keywords": "a, b"})
    assert b"\r\nOrig-Date: yesterday\r\nKeywords: a, b\r\n" in content


@pytest.mark.parametrize("said", [{"text": "a\0b"}, {"text": None, "html": "a\0b"}])
def test_a_zero_byte_is_refused(said: dict[str, Any]) -> None:
    with pytest.raises(MailRefused, match="zero byte"):
        mail(**said)
