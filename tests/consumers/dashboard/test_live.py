"""Server-sent events: one look for all viewers, a word for changes, an end at shutdown."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import aclosing, closing
from http.client import HTTPConnection
from typing import Any

import httpx
import pytest
from sqlalchemy import delete, event
from starlette.types import ASGIApp

from consumers.dashboard.dashboard_server import served
from consumers.dashboard.visiting import HOST, app_of, problem, visitor
from consumers.pipeline import Opened, Placed, Play
from oyez.consumers import Handlers
from oyez.consumers.dashboard import Access
from oyez.consumers.dashboard.common.static import FOLDER
from oyez.consumers.dashboard.live import stream as streaming
from oyez.consumers.dashboard.live.changes import Changes
from oyez.consumers.dashboard.live.stream import ALIVE, CHANGED, events
from oyez.consumers.database import DatabaseAway
from oyez.consumers.database.tables import parked
from oyez.consumers.reports.changed import mark_of

LIMIT = 20.0  # s; more than anything here may take
on = Handlers("shop")


@on(Placed)
def place(event: Placed) -> None:
    if event.n < 0:
        raise ValueError("as told")


@on(Opened)
def greet(_event: Opened) -> None: ...


class Looks:
    """What is looked at, and how often that was done."""

    def __init__(self) -> None:
        self.count = 0
        self.now: object = 1
        self.error: Exception | None = None

    def __call__(self) -> object:
        self.count += 1
        if self.error is not None:
            raise self.error
        return self.now


def run(work: Coroutine[Any, Any, None]) -> None:
    async def limited() -> None:
        await asyncio.wait_for(work, LIMIT)

    asyncio.run(limited())


def quick(looks: Looks, **said: Any) -> Changes:
    return Changes(looks, every=0.001, **said)


async def said(stream: AsyncIterator[bytes], wanted: bytes) -> None:
    """Wait until a viewer is told this."""
    async for part in stream:
        if part == wanted:
            return
    raise AssertionError("it has ended")


@pytest.fixture(autouse=True)
def without_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "DEBOUNCE", 0.001)


def test_every_viewer_is_told_of_a_change_once() -> None:
    async def work() -> None:
        looks = Looks()
        changes = quick(looks)
        async with aclosing(events(changes)) as one, aclosing(events(changes)) as other:
            assert await anext(one) == await anext(other) == b"retry: 5000\n\n"
            for now in (2, 3):
                looks.now = now
                await asyncio.gather(said(one, CHANGED), said(other, CHANGED))

    run(work())


def test_many_viewers_are_one_look() -> None:
    async def work() -> None:
        looks = Looks()
        changes = Changes(looks, every=60.0)
        assert set(await asyncio.gather(*(changes.mark() for _ in range(40)))) <= {None, 1}
        assert await changes.mark() == 1
        assert looks.count == 1

    run(work())


def test_a_database_that_is_away_is_no_change_and_nobody_is_sent_away() -> None:
    async def work() -> None:
        looks = Looks()
        changes = quick(looks, timer=asyncio.get_running_loop().time)
        async with aclosing(events(changes)) as one:
            await anext(one)
            looks.error = DatabaseAway("away")
            before = looks.count
            while looks.count < before + 3:
                assert await changes.mark() == 1
                await asyncio.sleep(0)
            looks.error, looks.now = None, 2
            await said(one, CHANGED)

    run(work())


def test_viewers_are_bounded_and_those_who_leave_make_room() -> None:
    async def work() -> None:
        changes = quick(Looks(), viewers=1)
        async with aclosing(events(changes)) as first:
            await anext(first)
            refused = await streaming.stream(changes)
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "30")
        assert (await streaming.stream(changes)).status_code == 200

    run(work())


def test_a_heartbeat_when_nothing_changes_and_an_end_after_a_while() -> None:
    async def work() -> None:
        now = 0.0

        def timer() -> float:
            nonlocal now
            now += 4.0
            return now

        parts = [part async for part in events(quick(Looks()), timer)]
        assert set(parts[1:]) == {ALIVE}
        assert len(parts) > 10

    run(work())


def test_shutdown_ends_all_streams() -> None:
    async def work() -> None:
        changes = quick(Looks())
        async with aclosing(events(changes)) as one:
            await anext(one)
            changes.end()
            assert [part async for part in one] == []
        assert (await streaming.stream(changes)).status_code == 503

    run(work())


class Viewer:
    """Whoever asks for the stream, without a server in between."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.sent: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.gone = asyncio.Event()

    async def watch(self) -> None:
        headers = [(b"host", HOST.encode())]
        scope = {
            "type": "http",
            "asgi": {"spec_version": "2.3"},
            "method": "GET",
            "path": "/live",
            "root_path": "",
        }
        scope |= {"headers": headers, "query_string": b"", "scheme": "http", "server": None, "client": None}
        await self._app(scope, self._receive, self.sent.put)  # type: ignore[arg-type]

    async def _receive(self) -> dict[str, Any]:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def until(self, wanted: bytes) -> None:
        while (await self.sent.get()).get("body") != wanted:
            pass


def test_what_a_worker_does_is_told_to_a_browser_that_leaves_nothing_behind(play: Play) -> None:
    pipeline = play(on)
    app: Any = app_of(pipeline, Access.read())
    app.state.board.changes.every = 0.01

    async def work() -> None:
        viewer = Viewer(app)
        watching = asyncio.create_task(viewer.watch())
        head = await viewer.sent.get()
        assert (head["status"], dict(head["headers"])[b"x-accel-buffering"]) == (200, b"no")
        assert dict(head["headers"])[b"content-type"].startswith(b"text/event-stream")
        await viewer.until(b"retry: 5000\n\n")
        await asyncio.to_thread(pipeline.handle, Placed(n=-1))
        await viewer.until(CHANGED)
        viewer.gone.set()
        await watching
        with app.state.board.changes.viewer() as has_room:
            assert has_room
        assert app.state.board.changes._viewers == 0

    run(work())


def test_the_look_is_one_statement_that_sees_what_is_parked_and_what_is_gone(play: Play) -> None:
    pipeline = play(on)
    statements: list[str] = []

    def mark() -> object:
        with pipeline.engine.connect() as db:
            event.listen(db, "before_cursor_execute", lambda _c, _u, text, *_: statements.append(text))
            return mark_of(db)

    marks = [mark()]
    steps: list[Callable[[], object]] = [
        lambda: pipeline.handle(Placed(n=1)),
        lambda: pipeline.handle(Placed(n=-1)),
        lambda: pipeline.later(60.0),
        lambda: _forget(pipeline),
    ]
    for step in steps:
        step()
        marks.append(mark())
        assert marks[-1] != marks[-2]
    assert mark() == marks[-1]
    assert len(statements) == len(marks) + 1


def _forget(pipeline: Any) -> None:
    with pipeline.engine.begin() as db:
        db.execute(delete(parked))


def test_pages_that_can_be_asked_for_again_are_live_and_the_script_is_small(play: Play) -> None:
    shown = visitor(play(on), Access.read()).page("/")
    assert 'data-live="/live"' in shown
    assert 'id="updates" hidden' in shown
    assert len(gzip.compress((FOLDER / "dashboard.js").read_bytes())) < 3_000


def test_who_asks_for_the_head_alone_is_no_viewer(play: Play) -> None:
    app: Any = app_of(play(on), Access.read())

    async def work() -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=f"http://{HOST}") as client:
            answer = await client.head("/live")
        assert (answer.status_code, answer.content) == (200, b"")
        assert answer.headers["content-type"].startswith("text/event-stream")

    run(work())


def test_nobody_is_told_who_may_not_read(play: Play) -> None:
    problem(visitor(play(on), Access.none()).get("/live"), 403, "access=")


def test_a_server_that_stops_lets_go_who_waits_for_news(play: Play, caplog: pytest.LogCaptureFixture) -> None:
    app: Any = app_of(play(on), Access.read())
    app.state.board.changes.every = 0.01
    with served(app) as found:
        host = found.address.removeprefix("http://")
        with closing(HTTPConnection(host, timeout=LIMIT)) as client:
            client.request("GET", "/live")
            answer = client.getresponse()
            assert answer.read(len(b"retry: 5000\n\n")) == b"retry: 5000\n\n"
            found.stop()
            assert answer.read() == b""
    assert "Cancel" not in caplog.text  # nobody had to wait for the grace
