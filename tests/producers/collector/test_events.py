"""`POST /events`: CloudEvents of other systems, and the handshake for webhooks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from producers.collector.running import KEY, event, running, settings
from support.spooled import spooled

ONE = {**KEY, "Content-Type": "application/cloudevents+json"}
BATCH = {**KEY, "Content-Type": "application/cloudevents-batch+json"}


def kinds(answer: httpx.Response) -> list[str]:
    return [one["result"] for one in answer.json()["results"]]


def test_a_structured_event_is_stored_when_it_is_answered(tmp_path: Path) -> None:
    sent = event(time="2026-01-02T03:04:05+01:00", traceparent="00-" + "1" * 32 + "-" + "2" * 16 + "-01")
    with running(settings(tmp_path)) as client:
        answer = client.post("/events", json=sent, headers=ONE)
        assert (answer.status_code, answer.json()) == (202, {"results": [{"id": "e1", "result": "ok"}]})
        stored = spooled(tmp_path)["e1"]
    same = ("type", "source", "id", "data", "traceparent")
    assert {name: stored[name] for name in same} == {name: sent[name] for name in same}
    assert stored["time"] == "2026-01-02T02:04:05.000000Z"
    assert (stored["partitionkey"], stored["subject"]) == ("anna", "1")


def test_a_batch_is_answered_event_by_event(tmp_path: Path) -> None:
    batch = [
        event(1),
        event(1),
        event(2, data={}),
        event(3, source="/other"),
        event(4, type="hidden"),
        7,
        event(5),
    ]
    with running(settings(tmp_path)) as client:
        answer = client.post("/events", json=batch, headers=BATCH)
    assert answer.status_code == 422
    assert kinds(answer) == ["ok", "duplicate", *["invalid"] * 4, "ok"]
    assert [one.get("id") for one in answer.json()["results"]] == ["e1", "e1", "e2", "e3", "e4", None, "e5"]
    assert spooled(tmp_path).keys() == {"e1", "e5"}


def test_binary_mode_has_its_attributes_in_headers(tmp_path: Path) -> None:
    headers = {
        **KEY,
        "ce-specversion": "1.0",
        "ce-type": "order.paid",
        "ce-source": "/erp",
        "ce-id": "caf%C3%A9",
        "ce-partitionkey": "berta",
        "Content-Type": "application/json",
    }
    with running(settings(tmp_path)) as client:
        answer = client.post("/events", content=b'{"visitor": "anna", "order": 1}', headers=headers)
        assert answer.status_code == 202, answer.text
    assert spooled(tmp_path)["café"]["partitionkey"] == "berta"


def test_what_is_sent_again_is_stored_once(tmp_path: Path) -> None:
    with running(settings(tmp_path)) as client:
        answers = [client.post("/events", json=event(), headers=ONE) for _ in range(2)]
    assert [(one.status_code, kinds(one)) for one in answers] == [(202, ["ok"]), (202, ["duplicate"])]
    assert len(spooled(tmp_path)) == 1


def test_nobody_may_speak_for_this_server(tmp_path: Path) -> None:
    """It would be taken for an event of its own, by its id."""
    with running(settings(tmp_path)) as client:
        assert client.post("/events", json=event(source="door"), headers=ONE).status_code == 422


@pytest.mark.parametrize(
    ("status", "body", "headers", "said"),
    [
        (401, b"{}", {"Authorization": "Bearer other"}, "no key that is known here"),
        (401, b"{}", {"Authorization": "Basic secret"}, "no key that is known here"),
        (415, b"<a/>", {"Content-Type": "application/cloudevents+xml"}, "the content type must be"),
        (415, b"x", {"Content-Encoding": "gzip"}, "compressed"),
        (400, b"{", {}, "no JSON"),
        (400, b"[" * 5000 + b"]" * 5000, {}, "no JSON"),
        (413, b" " * 2000, {}, "more than 1000 bytes"),
        (422, b"{}", {}, ""),
        (422, b"[]", {}, ""),
        (422, b'{"id": "a", "data": NaN}', {}, ""),
    ],
)
def test_what_cannot_be_taken_is_told_in_one_line(
    status: int, body: bytes, headers: dict[str, str], said: str, tmp_path: Path
) -> None:
    limit = 1000 if status == 413 else 100_000
    with running(settings(tmp_path, collect_max_body=limit)) as client:
        answer = client.post("/events", content=body, headers={**ONE, **headers})
    expected = 400 if b"NaN" in body else status
    assert answer.status_code == expected, answer.text
    if said:
        assert said in answer.text
        assert answer.text.count("\n") == 1
    assert spooled(tmp_path) == {}


def test_a_batch_has_so_many_events_at_most(tmp_path: Path) -> None:
    with running(settings(tmp_path, collect_max_events=2)) as client:
        assert client.post("/events", json=[event(n) for n in range(3)], headers=BATCH).status_code == 413
        assert client.post("/events", json=[event(n) for n in range(2)], headers=BATCH).status_code == 202
        assert client.post("/events", json=[], headers=BATCH).status_code == 202


def test_a_sender_that_is_too_quick_hears_when_to_go_on(tmp_path: Path) -> None:
    with running(settings(tmp_path, collect_site_rate=0.001)) as client:
        assert client.post("/events", json=event(), headers=ONE).status_code == 202
        late = client.post("/events", json=event(2), headers=ONE)
    assert late.status_code == 429
    assert int(late.headers["Retry-After"]) > 900


def test_nothing_is_open_unless_it_is_named(tmp_path: Path) -> None:
    with running(settings(tmp_path, collect_keys={}, collect_sites={}, collect_webhooks=[])) as client:
        assert client.post("/events", json=event(), headers=ONE).status_code == 401
        assert client.post("/collect?site=shop", json={}).status_code == 401
        asks = {"WebHook-Request-Origin": "events.example.com"}
        assert client.options("/events", headers=asks).status_code == 403


def test_the_handshake_names_who_may_deliver_and_how_much(tmp_path: Path) -> None:
    def asked(client: httpx.Client, origin: str) -> dict[str, Any]:
        answer = client.options("/events", headers={"WebHook-Request-Origin": origin})
        return {"status": answer.status_code, **{n: v for n, v in answer.headers.items() if "webhook" in n}}

    with running(settings(tmp_path, collect_site_rate=2)) as client:
        allowed = {"webhook-allowed-origin": "events.example.com", "webhook-allowed-rate": "120"}
        assert asked(client, "events.example.com") == {"status": 200, **allowed}
        assert asked(client, "evil.example.com") == {"status": 403}
