"""The reference implementation reads our events, and we read its, in both modes."""

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from cloudevents.core.bindings import kafka
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from hypothesis import given
from hypothesis import strategies as st

from oyez.schemas import decode
from oyez.schemas.encoding import CONTENT_TYPE, Encoder
from schemas.signals import PageViewed, SessionStarted, known

Write = Callable[[CloudEvent, JSONFormat], kafka.KafkaMessage]

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=250)


@given(session=texts, event_id=texts)
def test_it_reads_ours(session: str, event_id: str) -> None:
    value = Encoder("web-1", known).encode(
        SessionStarted(session_id=session),
        id=event_id,
        time="2024-05-01T10:20:30.5Z",
        key=session,
        subject=session,
    )
    message = kafka.KafkaMessage({"content-type": CONTENT_TYPE}, session.encode(), value)
    event = kafka.from_kafka(message, JSONFormat())
    assert event.get_type() == "session.started"
    assert (event.get_id(), event.get_source(), event.get_subject()) == (event_id, "web-1", session)
    assert event.get_time() == datetime(2024, 5, 1, 10, 20, 30, 500000, UTC)
    assert event.get_extension("partitionkey") == session
    data = event.get_data()
    assert (json.loads(data) if isinstance(data, str | bytes) else data) == {
        "session_id": session,
        "place": None,
    }


@pytest.mark.parametrize("write", [kafka.to_structured, kafka.to_binary])
@given(session=texts, url=st.text(st.characters(exclude_categories=["Cs"])))
def test_we_read_its(write: Write, session: str, url: str) -> None:
    attributes = {
        "id": "e1",
        "type": "page.viewed",
        "source": "/other",
        "specversion": "1.0",
        "datacontenttype": "application/json",
        "time": datetime(2024, 5, 1, tzinfo=UTC),
        "partitionkey": session,
    }
    message = write(CloudEvent(attributes, {"session_id": session, "url": url}), JSONFormat())
    key = message.key.encode() if isinstance(message.key, str) else message.key
    event = decode(message.value, list(message.headers.items()), key, known)
    assert (event.id, event.source, event.key) == ("e1", "/other", session)
    assert event.time == datetime(2024, 5, 1, tzinfo=UTC)
    assert event.data == PageViewed(session_id=session, url=url)
