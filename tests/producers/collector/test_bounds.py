"""Clients that are slow, endless or too many."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from oyez.producers import SettingsError
from producers.collector.running import KEY, PAGE, event, running, settings
from support.spooled import spooled
from support.waiting import eventually

HEAD = (
    b"POST /events HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer secret\r\n"
    b"Content-Type: application/cloudevents+json\r\n"
)


@contextmanager
def connected(client: httpx.Client) -> Iterator[socket.socket]:
    at = (client.base_url.host, client.base_url.port)
    with closing(socket.create_connection(at, timeout=60)) as connection:  # type: ignore[arg-type] # it has a port
        yield connection


def rest(connection: socket.socket) -> bytes:
    """What still comes, until the other side closes."""
    got = b""
    while part := connection.recv(65_536):
        got += part
    return got


def works(client: httpx.Client) -> bool:
    headers = {**KEY, "Content-Type": "application/cloudevents+json"}
    return client.post("/events", json=event(), headers=headers).status_code == 202


@pytest.mark.parametrize("begun", [b"", b"POST /ev", HEAD], ids=["nothing", "a line", "headers"])
def test_who_does_not_end_the_head_is_sent_away(begun: bytes, tmp_path: Path) -> None:
    with running(settings(tmp_path, collect_timeout=0.2)) as client, connected(client) as slow:
        slow.sendall(begun)
        assert rest(slow).startswith(b"HTTP/1.1 408 ")
        assert works(client)


def test_who_says_it_a_letter_at_a_time_is_sent_away_too(tmp_path: Path) -> None:
    """Also after a first request that was as it should be."""
    whole = json.dumps(event()).encode()
    with running(settings(tmp_path, collect_timeout=0.3)) as client, connected(client) as slow:
        slow.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(whole) + whole)
        first = slow.recv(65_536)
        while not first.endswith(b"]}"):  # a head and a body may come one after the other
            first += slow.recv(65_536)
        assert first.startswith(b"HTTP/1.1 202 ")
        slow.settimeout(0.02)
        letters = iter(HEAD + b"X: " + b"a" * 10_000)

        def answered() -> bytes:
            slow.sendall(bytes([next(letters)]))
            with suppress(TimeoutError):
                return slow.recv(65_536)
            return b""

        assert eventually(answered, every=0).startswith(b"HTTP/1.1 408 ")


def test_a_body_that_does_not_arrive_is_told(tmp_path: Path) -> None:
    with running(settings(tmp_path, collect_timeout=0.2)) as client, connected(client) as slow:
        slow.sendall(HEAD + b"Content-Length: 100\r\n\r\n{")
        assert slow.recv(65_536).startswith(b"HTTP/1.1 408 ")
        assert works(client)


def test_a_body_that_does_not_arrive_behind_another_request_is_told_too(tmp_path: Path) -> None:
    with running(settings(tmp_path, collect_timeout=0.2)) as client, connected(client) as slow:
        slow.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n" + HEAD + b"Content-Length: 100\r\n\r\n{")
        said = rest(slow)
        assert said.startswith(b"HTTP/1.1 200 ")
        assert b"HTTP/1.1 408 " in said
        assert works(client)


def test_who_does_not_read_its_answers_is_sent_away(tmp_path: Path) -> None:
    asked = b"GET /oyez.js HTTP/1.1\r\nHost: a\r\n\r\n" * 2_000  # some 10 MB of answers
    with running(settings(tmp_path, collect_timeout=0.2)) as client, connected(client) as deaf:
        deaf.setblocking(False)
        with pytest.raises(OSError, match=r"reset|Broken pipe"):
            eventually(lambda: _sent(deaf, asked) is None)
        assert works(client)


def _sent(connection: socket.socket, what: bytes) -> int | None:
    """How much of it could be sent just now."""
    try:
        return connection.send(what)
    except BlockingIOError:
        return 0


def test_a_page_may_read_that_it_was_too_slow(tmp_path: Path) -> None:
    head = b"POST /collect?site=shop HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n"
    with running(settings(tmp_path, collect_timeout=0.2)) as client:
        with connected(client) as slow:
            slow.sendall(head + f"Origin: {PAGE}\r\nContent-Type: text/plain\r\n\r\n{{".encode())
            said = rest(slow).decode()
        assert said.startswith("HTTP/1.1 408")
        assert f"Access-Control-Allow-Origin: {PAGE}" in said


@pytest.mark.parametrize("length", [b"Content-Length: 3000000", b"Transfer-Encoding: chunked"])
def test_who_sends_too_much_and_reads_later_is_told_all_the_same(length: bytes, tmp_path: Path) -> None:
    """A server that closes while a client still sends resets the connection, and the answer is lost."""
    body = b"x" * 3_000_000
    if b"chunked" in length:
        body = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in [body[:1_000_000]] * 3) + b"0\r\n\r\n"
    with running(settings(tmp_path)) as client, connected(client) as sender:
        sender.sendall(HEAD + length + b"\r\n\r\n" + body)
        said = rest(sender)
        assert said.startswith(b"HTTP/1.1 413 ")
        assert said.endswith(b"send fewer events at once\n") or b"\r\n0\r\n" in said
        assert works(client)


def test_an_endless_body_ends(tmp_path: Path) -> None:
    part = b"10000\r\n" + b"x" * 65_536 + b"\r\n"
    with running(settings(tmp_path)) as client, connected(client) as sender:
        sender.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        with pytest.raises(OSError, match=r"reset|Broken pipe"):
            sender.sendall(part * 10_000)
        assert works(client)


def test_a_head_has_a_size_at_most(tmp_path: Path) -> None:
    with running(settings(tmp_path)) as client, connected(client) as sender:
        with suppress(OSError):
            sender.sendall(HEAD + b"X: " + b"a" * 100_000)
        with suppress(ConnectionResetError):
            assert rest(sender).startswith(b"HTTP/1.1 400 ")
        assert works(client)


def test_too_many_connections_are_told_and_the_rest_go_on(tmp_path: Path) -> None:
    with running(settings(tmp_path, collect_max_connections=4)) as client:
        assert works(client)
        with connected(client), connected(client), connected(client):
            eventually(lambda: not works(client))
            answer = client.post("/collect?site=shop", content="{}", headers={"Origin": PAGE})
        assert answer.status_code == 503
        assert answer.text.count("\n") == 1
        assert answer.headers["Retry-After"]
        assert answer.headers["Access-Control-Allow-Origin"] == PAGE
        eventually(lambda: works(client))


@pytest.mark.parametrize("said", [{"collect_max_pending": 499}, {"collect_max_events": 10_001}])
def test_a_full_request_could_never_be_taken(said: dict[str, int], tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"collect_max_pending: .*, as collect_max_events is"):
        settings(tmp_path, **said)
    settings(tmp_path, collect_max_events=10_000)


def test_more_events_than_may_wait_are_told_to_come_again(tmp_path: Path) -> None:
    headers = {**KEY, "Content-Type": "application/cloudevents-batch+json"}
    # As if others had the rest of the room: a full request alone always has enough of it.
    with running(settings(tmp_path).model_copy(update={"collect_max_pending": 2})) as client:
        answer = client.post("/events", json=[event(n) for n in range(3)], headers=headers)
        assert answer.status_code == 503
        assert answer.headers["Retry-After"]
        assert client.post("/events", json=[event(n) for n in range(2)], headers=headers).status_code == 202
    assert len(spooled(tmp_path)) == 2
