"""What the pages do: what the commands do, by the same code, for those who may."""

from __future__ import annotations

import html
import re

import httpx
import pytest
from sqlalchemy import update

from consumers.dashboard.visiting import HOST, SENT, Visitor, problem, visitor
from consumers.pipeline import Opened, Pipeline, Placed, Play, Viewed
from oyez.consumers import Handlers, Reject
from oyez.consumers.dashboard import Access
from oyez.consumers.database import releasing, tables
from support.waiting import eventually

on = Handlers("shop")


@on(Placed)
def place(event: Placed) -> None:
    if event.n >= 10:
        raise Reject("too many")
    raise ValueError("no stock")


def filled(play: Play) -> Pipeline:
    """Three that are parked and two that are dead."""
    pipeline = play(on)
    pipeline.handle(*(Placed(k=f"k{n}", n=n) for n in (0, 1, 2, 10, 11)))
    pipeline.clock.now += 1.0
    return pipeline


def confirmed(client: Visitor, path: str, **more: str) -> str:
    """Open the page that asks, send its form as it stands, and wait for the end; what the operation's page says."""
    shown = client.page(path)
    fields = {
        name: html.unescape(value)
        for name, value in re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', shown)
    }
    (where,) = re.findall(r'<form method="post" action="([^"]+)"', shown)
    response = client.send(where, **fields, **more)
    assert response.status_code == 303, response.text
    return ended(client, response.headers["location"])


def ended(client: Visitor, where: str) -> str:
    def look() -> str | None:
        shown = client.page(where)
        return None if re.search(r"<strong>(under way|stopping)</strong>", shown) else shown

    return eventually(look)


def test_release_what_was_chosen(play: Play) -> None:
    pipeline = filled(play)
    client = visitor(pipeline, Access.act(who="ada"))
    assert "<strong>2 deliveries</strong>" not in client.page("/parked/release?key=k1")
    before = dict(pipeline.rows("parked", "key", "due_at"))
    shown = confirmed(client, "/parked/release?key=k1")
    assert "<strong>done</strong>: 1 of 1 are settled" in shown
    assert "<dt>released</dt><dd>1</dd>" in shown
    assert "ada" in shown
    after = dict(pipeline.rows("parked", "key", "due_at"))
    assert [key for key in after if after[key] != before[key]] == ["k1"]
    assert "k1" not in pipeline.rows("operation", "chosen")[0], "it may be of a person"
    assert "parked release 1" in client.page("/operations")


def test_retry_and_discard(play: Play) -> None:
    pipeline = filled(play)
    client = visitor(pipeline, Access.act())
    assert "<dt>retried</dt><dd>1</dd>" in confirmed(client, "/dead/retry?key=k10", rate="1000/s")
    assert "<dt>discarded</dt><dd>1</dd>" in confirmed(client, "/dead/discard")
    assert not pipeline.rows("dead", "id")
    assert len(pipeline.rows("parked", "id")) == 4
    assert "4 of 4" in confirmed(client, "/parked/discard?handler=place")
    assert not pipeline.rows("parked", "id")
    assert "There is nothing to discard" in client.page("/parked/discard")


def test_more_may_be_released_than_it_counts(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(releasing, "AT_ONCE", 1)
    shop = Handlers("shop")

    @shop(Opened)
    def open_(event: Opened) -> None:
        raise Reject("closed")

    @shop(Viewed)
    def view(event: Viewed) -> None: ...

    pipeline = play(shop)
    pipeline.handle(Opened(), Viewed(k="v"))
    shown = confirmed(visitor(pipeline, Access.act()), "/dead/discard")
    assert "<dt>released</dt><dd>1</dd>" in shown
    assert "<dt>more may be released</dt><dd>yes</dd>" in shown


def test_what_comes_after_the_look_is_not_meant(play: Play) -> None:
    pipeline = filled(play)
    client = visitor(pipeline, Access.act())
    assert "data-live" in client.page("/parked")
    shown = client.page("/parked/discard")
    assert "data-live" not in shown, "it would be another count under the same button"
    (before,) = re.findall(r'name="before" value="([^"]+)"', shown)
    pipeline.handle(Placed(k="later", n=5))
    ended(client, client.send("/parked/discard", before=before).headers["location"])
    assert pipeline.rows("parked", "key") == ["later"]


def test_what_has_moved_into_the_choice_since_is_not_done(play: Play) -> None:
    """What was parked before may be due only now: nobody has counted it."""
    pipeline = filled(play)
    client = visitor(pipeline, Access.act())
    with pipeline.engine.begin() as db:
        db.execute(update(tables.parked).where(tables.parked.c.key != "k0").values(due_at=None))
    shown = client.page("/parked/discard?reason=due")
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', shown))
    assert fields["counted"] == "1"
    with pipeline.engine.begin() as db:
        db.execute(update(tables.parked).values(due_at=pipeline.clock.now))
    problem(client.send("/parked/discard", **fields), 400, "by now 3 are meant, and 1 were counted")
    assert len(pipeline.rows("parked", "id")) == 3


def test_what_nobody_handles_and_what_has_no_error_can_be_chosen(play: Play) -> None:
    pipeline = filled(play)
    with pipeline.engine.begin() as db:
        db.execute(update(tables.dead).where(tables.dead.c.key == "k10").values(handler="", signal=""))
        db.execute(update(tables.parked).where(tables.parked.c.key == "k0").values(error=None))
    client = visitor(pipeline, Access.act())
    shown = html.unescape(client.page("/dead/errors"))
    (link,) = {
        one for one in re.findall(r'href="([^"]*)"', shown) if "without=handler" in one and "newer=1h" in one
    }
    assert "k10" in client.page(link)
    assert "k11" not in client.page(link)
    shown = html.unescape(client.page("/parked/errors"))
    (link,) = {
        one for one in re.findall(r'href="([^"]*)"', shown) if "without=error" in one and "newer=1h" in one
    }
    assert "k0" in client.page(link)
    assert "k1" not in client.page(link).replace("k10", "").replace("k11", "")
    (event_id,) = [number for number, key in pipeline.rows("dead", "event_id", "key") if key == "k10"]
    shown = html.unescape(client.page(f"/event?id={event_id}&source=web"))
    assert re.search(r'href="[^"]*/dead/retry[^"]*without=handler', shown)
    problem(client.get("/dead?without=all"), 400, "handler, signal, error")
    problem(client.get("/dead?without=error&error=x"), 400, "choose one")


def test_whoever_pauses_may_be_called_anything(play: Play) -> None:
    pipeline = filled(play)
    client = visitor(pipeline, Access.act(who="a\0da"))
    assert client.send("/pauses/pause", name="place").status_code == 303
    assert pipeline.rows("pause", "paused_by") == ["a\\0da"]


def test_at_a_rate_until_it_is_stopped(play: Play) -> None:
    pipeline = filled(play)
    client = visitor(pipeline, Access.act())
    where = client.send("/parked/release", rate="1/h").headers["location"]
    eventually(lambda: "1 of 3 are settled" in client.page(where))
    assert client.send(f"{where}/stop").status_code == 303
    shown = ended(client, where)
    assert "<strong>stopped</strong>" in shown
    assert "<dt>stopped</dt><dd>2</dd>" in shown
    problem(client.send("/parked/release", rate="fast"), 400, "5/s")


def test_pause_and_resume(play: Play) -> None:
    pipeline = filled(play)
    client = visitor(pipeline, Access.act(who="ada"))
    assert "3 of it are parked now" in client.page("/pauses/pause?name=place&reason=broken")
    assert client.send("/pauses/pause", name="place", key="", reason="broken").status_code == 303
    shown = client.page("/pauses")
    assert "ada" in shown
    assert "broken" in shown
    assert "but paused" in client.page(f"/event?id={pipeline.rows('parked', 'event_id')[0]}")
    assert client.send("/pauses/resume", name="place", key="").status_code == 303
    assert "nothing is paused" in client.page("/pauses")
    problem(client.send("/pauses/resume", name="place", key=""), 400, "not paused")
    problem(client.send("/pauses/pause", name="plac", key=""), 400, "did you mean place?")


POSTS = (
    "/parked/release",
    "/parked/discard",
    "/dead/retry",
    "/dead/discard",
    "/pauses/pause",
    "/pauses/resume",
)


@pytest.mark.parametrize("path", [*POSTS, "/operations/1/stop"])
def test_who_may_only_read_does_nothing(play: Play, path: str) -> None:
    pipeline = filled(play)
    before = pipeline.rows("parked"), pipeline.rows("dead")
    client = visitor(pipeline, Access.read())
    problem(client.send(path, name="place"), 403, "nothing was done")
    assert (pipeline.rows("parked"), pipeline.rows("dead")) == before
    assert "Release" not in client.page("/parked")
    assert not pipeline.rows("operation")
    assert not pipeline.rows("pause")


def test_who_may_one_thing_does_no_other(play: Play) -> None:
    client = visitor(filled(play), Access.act("retry"))
    problem(client.send("/dead/discard"), 403, "but not discard")
    problem(client.get("/dead/discard"), 403, "but not discard")
    shown = client.page("/dead")
    assert "Retry…" in shown
    assert "Discard…" not in shown


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "null"},
        {"Origin": "https://evil.example"},
        {"Origin": f"http://{HOST}.evil.example"},
        {"Origin": f"http://{HOST}", "Sec-Fetch-Site": "cross-site"},
        {"Origin": f"http://{HOST}", "Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://[", "Host": ""},
    ],
)
@pytest.mark.parametrize("path", ["/parked/discard", "/pauses/pause"])
def test_a_page_of_another_origin_does_nothing(
    pipeline_sqlite: str, path: str, headers: dict[str, str]
) -> None:
    pipeline = Pipeline(pipeline_sqlite, on)
    try:
        client = visitor(pipeline, Access.act())
        problem(client.post(path, data={"name": "place"}, headers=headers), 403, "another origin")
        assert not pipeline.rows("operation")
        assert not pipeline.rows("pause")
        assert client.post(path, data={"name": "place"}, headers=SENT).status_code == 303
    finally:
        pipeline.close()


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{}", "application/json", 415),
        (b"a=" + b"x" * 70_000, "application/x-www-form-urlencoded", 413),
        (b"&".join(b"a=1" for _ in range(300)), "application/x-www-form-urlencoded", 400),
        (b"\xff\xfe", "application/x-www-form-urlencoded", 400),
        (b"key=%00", "application/x-www-form-urlencoded", 400),
    ],
)
def test_what_is_no_form_is_one_line(pipeline_sqlite: str, body: bytes, kind: str, status: int) -> None:
    pipeline = Pipeline(pipeline_sqlite, on)
    try:
        response: httpx.Response = visitor(pipeline, Access.act()).post(
            "/parked/release", content=body, headers={**SENT, "Content-Type": kind}
        )
        problem(response, status)
    finally:
        pipeline.close()


def test_where_no_lifespan_runs_it_is_said_once_that_operations_may_be_cut_off(
    play: Play, caplog: pytest.LogCaptureFixture
) -> None:
    client = visitor(filled(play), Access.act())
    confirmed(client, "/parked/release?key=k1")
    confirmed(client, "/dead/discard")
    assert caplog.text.count("its lifespan does not run") == 1
