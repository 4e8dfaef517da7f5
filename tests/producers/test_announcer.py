"""Announcing, on a memory broker."""

import threading
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from oyez.producers import Announcer, AnnouncerClosed, NotAnnounced, TransportRefused, visitor_session
from oyez.schemas import InvalidEvent, OyezError, UnknownSignal
from producers.shop import (
    Blob,
    Measured,
    Noted,
    OrderPaid,
    PageViewed,
    Replied,
    Sealed,
    Ticked,
    events_in,
    known,
    memory_announcer,
    value_at,
)


def test_by_object_name_number_and_class() -> None:
    announcer, broker = memory_announcer()
    view = PageViewed(session_id="s1", url="/")
    ids = [
        announcer.announce(view),
        announcer.announce("page.viewed", {"session_id": "s1", "url": "/"}),
        announcer.announce(3, {"session_id": "s1", "url": "/"}),
        announcer.announce(PageViewed, {"session_id": "s1", "url": "/"}),
    ]
    events = events_in(broker)
    assert [event.id for event in events] == ids
    assert all(UUID(one).version == 7 for one in ids)
    assert len(set(ids)) == 4
    assert {(event.source, event.signal, event.key, event.data) for event in events} == {
        ("web-1", "page.viewed", "s1", view)
    }
    assert announcer.announced == 4
    assert broker.read("oyez.events", 0, 0, 1)[0].headers() == [
        ("content-type", b"application/cloudevents+json")
    ]


def test_id_time_and_source_are_stamped_once() -> None:
    announcer, broker = memory_announcer(
        clock=lambda: 1_714_558_830_000_123_456, new_id=iter(["e1", "e2"]).__next__, source="büro"
    )
    announcer.announce(Ticked())
    announcer.announce(Ticked())
    assert [(event.id, event.time, event.source) for event in events_in(broker)] == [
        ("e1", datetime(2024, 5, 1, 10, 20, 30, 123, UTC), "büro"),
        ("e2", datetime(2024, 5, 1, 10, 20, 30, 123, UTC), "büro"),
    ]


def test_the_key_given_wins_over_the_field_and_the_field_over_the_session() -> None:
    announcer, broker = memory_announcer()
    with visitor_session("bound"):
        announcer.announce(PageViewed(session_id="field", url="/"), key="given")
        announcer.announce(PageViewed(session_id="field", url="/"))
        announcer.announce(Ticked())
        with visitor_session("inner"):
            announcer.announce(Ticked())
        announcer.announce(Ticked())
    announcer.announce(Ticked())
    assert [event.key for event in events_in(broker)] == ["given", "field", "bound", "inner", "bound", None]
    assert broker.read("oyez.events", 0, 5, 1)[0].key() is None


def test_the_key_field_is_filled_in() -> None:
    announcer, broker = memory_announcer()
    announcer.announce(3, {"url": "/"}, key="given")
    with visitor_session("bound"):
        announcer.announce("page.viewed", {"url": "/"})
        announcer.announce("page.viewed", {"url": "/", "session_id": "own"})
    events = events_in(broker)
    assert [event.data.session_id for event in events] == ["given", "bound", "own"]
    assert [event.key for event in events] == ["given", "bound", "own"]


@pytest.mark.parametrize(
    "data",
    [
        {"visit": "own"},
        {"session": {"id": "own"}},
        {"session_id": "own"},
        '{"visit": "own"}',
        b'{"session_id":"own"}',
    ],
)
def test_the_key_is_not_filled_in_where_it_is_given_by_another_name(data: Any) -> None:
    announcer, broker = memory_announcer()
    with visitor_session("bound"):
        announcer.announce("visited", data)
        announcer.announce("visited", {})
        announcer.announce("visited", " {  }")
    assert [event.data.session_id for event in events_in(broker)] == ["own", "bound", "bound"]


def test_the_key_is_filled_in_under_the_alias_where_the_name_is_not_read() -> None:
    announcer, broker = memory_announcer()
    with visitor_session("bound"):
        announcer.announce("aliased", {"n": 1})
        announcer.announce("aliased", '{"n": 1}')
        announcer.announce("aliased", {"session": "own", "n": 1})
    assert [event.data.session_id for event in events_in(broker)] == ["bound", "bound", "own"]


def test_json_given_as_text_is_validated_as_json() -> None:
    announcer, broker = memory_announcer()
    said = (
        '{"at": "2024-05-01", "lasted": "PT1.5S", "proof": "_wA=", "paid": "1.10000000000000000000000000001"}'
    )
    for text in (said, said.encode()):
        announcer.announce("measured", text, key="s1")
    expected = Measured(
        at=date(2024, 5, 1),
        lasted=timedelta(seconds=1.5),
        proof=b"\xff\x00",
        paid=Decimal("1.10000000000000000000000000001"),
        session_id="s1",
    )
    assert [event.data for event in events_in(broker)] == [expected, expected]


def test_bytes_as_key_and_subject() -> None:
    """They are what they are in JSON, so a session that is bound is filled in as what it says."""
    announcer, broker = memory_announcer()
    announcer.announce(Sealed(token=b"\xff\x00"))
    with visitor_session("czE="):
        announcer.announce("sealed", {})
    events = events_in(broker)
    assert [event.key for event in events] == [event.subject for event in events] == ["_wA=", "czE="]
    assert [event.data.token for event in events] == [b"\xff\x00", b"s1"]


def test_a_signal_may_have_its_own_topic_and_its_texts_are_text() -> None:
    announcer, broker = memory_announcer()
    announcer.announce(OrderPaid(order_id=7))
    (event,) = events_in(broker, "orders")
    assert (event.key, event.subject) == ("7", "7")
    assert b'"partitionkey":"7","subject":"7","data":{"order_id":7}' in value_at(broker, 0, "orders")


def test_keys_with_quotes_newlines_and_non_ascii_letters() -> None:
    announcer, broker = memory_announcer()
    key = 'a "quoted"\nkey \\ with ü and 😀'
    announcer.announce(Ticked(), key=key)
    assert events_in(broker)[0].key == key
    assert broker.read("oyez.events", 0, 0, 1)[0].key() == key.encode()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("page.view", {}), UnknownSignal, "did you mean page.viewed?"),
        ((99, {}), UnknownSignal, "unknown signal 99"),
        (([3], {}), UnknownSignal, "unknown signal [3]"),
        (({"url": "/"},), UnknownSignal, "unknown signal {'url': '/'}"),
        ((known, {}), UnknownSignal, "unknown signal"),
        ((3, {"session_id": "s1"}), InvalidEvent, "page.viewed: url: Field required"),
        (
            (3, {"session_id": "s1", "url": 7, "zz": 1}),
            InvalidEvent,
            "url: Input should be a valid string; zz: Extra",
        ),
        ((3, {"url": "/"}), InvalidEvent, "page.viewed: session_id: Field required"),
        ((3, "{no"), InvalidEvent, "page.viewed: Invalid JSON"),
        ((3, "[]"), InvalidEvent, "page.viewed: Input should be an object"),
        ((3, '{"session_id": "\ud800", "url": "/"}'), InvalidEvent, "page.viewed: "),
        (
            (Blob(of=object()),),
            InvalidEvent,
            "blob: the subject cannot be written as text: Unable to serialize",
        ),
        ((3,), InvalidEvent, "page.viewed: the data must be a dict of its fields, not None"),
        ((3, ["url"]), InvalidEvent, "must be a dict of its fields"),
        ((Ticked(), {}), InvalidEvent, "data goes with a signal's name or number"),
        ((PageViewed(session_id="", url="/"),), InvalidEvent, "page.viewed: the key must not be empty"),
        ((PageViewed(session_id="a\0", url="/"),), InvalidEvent, "the key must not contain a NUL"),
        (
            (PageViewed(session_id="a" * 251, url="/"),),
            InvalidEvent,
            "the key has 251 characters, 250 are allowed",
        ),
        ((PageViewed(session_id="\ud800", url="/"),), InvalidEvent, "surrogate"),
        ((PageViewed(session_id="a", url="\ud800"),), InvalidEvent, "surrogate"),
        ((Replied(post=""),), InvalidEvent, "replied: the subject must not be empty"),
        ((Replied(post="a" * 251),), InvalidEvent, "the subject has 251 characters"),
        ((Replied(post="a", parent=""),), InvalidEvent, "the required parent must not be empty"),
        ((Replied(post="a", parent="a\0"),), InvalidEvent, "the required parent must not contain a NUL"),
    ],
)
def test_what_may_not_be_announced(arguments: Any, error: type[OyezError], message: str) -> None:
    announcer, broker = memory_announcer()
    with pytest.raises(error) as caught:
        announcer.announce(*arguments)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert announcer.announced == broker.end("oyez.events", 0) == 0


@pytest.mark.parametrize("key", ["", "a\0", "a" * 251, "\ud800", 7, b"bytes"])
def test_keys_that_are_refused(key: Any) -> None:
    announcer, broker = memory_announcer()
    with pytest.raises(InvalidEvent):
        announcer.announce(Ticked(), key=key)
    with pytest.raises(InvalidEvent, match="visitor_session: the key"), visitor_session(key):
        pass
    assert broker.end("oyez.events", 0) == 0


def test_a_null_subject_is_none() -> None:
    announcer, broker = memory_announcer()
    announcer.announce(Replied(post="b", parent="a"))
    announcer.announce(Noted(about=None))
    assert b'"subject":"b"' in value_at(broker, 0)
    assert b'"subject"' not in value_at(broker, 1)


class Refusing:
    """A transport that takes nothing."""

    def send(self, topic: str, key: bytes | None, value: bytes) -> None:
        raise TransportRefused("it is away")

    def flush(self, timeout: float) -> None:
        pass

    def close(self, timeout: float) -> None:
        pass


def test_what_the_transport_refuses_comes_back_with_the_event() -> None:
    announcer = Announcer(Refusing(), source="web-1", catalogue=known)
    view = PageViewed(session_id="s1", url="/")
    with pytest.raises(NotAnnounced, match=r"^page\.viewed was not announced: it is away$") as caught:
        announcer.announce(view)
    event = caught.value.event
    assert (event.data, event.key, event.source, caught.value.reason) == (view, "s1", "web-1", "it is away")
    assert announcer.announced == 0
    announcer.close()


class Joining(Refusing):
    """A transport that takes events only with a transaction."""

    def __init__(self) -> None:
        self.taken: list[tuple[object, str, bytes | None]] = []

    def send_in(self, db: object, topic: str, key: bytes | None, value: bytes) -> None:
        self.taken.append((db, topic, key))


def test_a_transaction_is_passed_to_a_transport_that_joins_it() -> None:
    transport = Joining()
    announcer = Announcer(transport, source="web-1", catalogue=known)
    db: Any = object()
    announcer.announce(Ticked(), key="k", db=db)
    assert transport.taken == [(db, "oyez.events", b"k")]
    announcer.close()


def test_after_close_nothing_is_announced() -> None:
    announcer, broker = memory_announcer()
    with announcer:
        announcer.announce(Ticked())
    announcer.close()
    with pytest.raises(AnnouncerClosed, match="announce before close"):
        announcer.announce(Ticked())
    assert broker.end("oyez.events", 0) == 1


def test_many_threads_may_announce_on_one_announcer() -> None:
    announcer, broker = memory_announcer()

    def announce() -> None:
        for n in range(500):
            announcer.announce(PageViewed(session_id="s", url=f"/{n}"))

    threads = [threading.Thread(target=announce) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    events = events_in(broker)
    assert len({event.id for event in events}) == len(events) == 4000
    assert announcer.announced == 4000
