"""What waits to leave: the mail queue, the outbox and the spool, and what is done with it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, insert, select

from consumers.dashboard.visiting import Visitor, app_of, problem, visitor
from consumers.logs.spool_pipeline import SpoolPipeline
from consumers.mail.mail_queue import rows_of
from consumers.pipeline import TOPIC, Pipeline, Placed, Play
from oyez.consumers import Application, Handlers, ListenSettings
from oyez.consumers.dashboard import Access, dashboard
from oyez.consumers.dashboard.common.access import anybody
from oyez.consumers.dashboard.questions import mails as questions
from oyez.consumers.database.tables import mail, outbox

HOSTILE = "<script>alert('\"')</script>\u202e&amp;{{ 7 * 7 }}"
SHOWN = "&lt;script&gt;alert("
STATES = ("waiting", "sending", "sent", "failed", "held", "canceled", "unsure")
on = Handlers("shop")


@on(Placed)
def place(_event: Placed) -> None: ...


@pytest.fixture
def pipeline(play: Play) -> Pipeline:
    return play(on)


def queue(pipeline: Pipeline, numbers: range, **said: Any) -> None:
    with pipeline.engine.begin() as db:
        db.execute(insert(mail), rows_of(numbers, pipeline.clock.now - 60.0, **said))


def states(engine: Engine) -> dict[str, str]:
    with engine.connect() as db:
        return {row.subject: row.state for row in db.execute(select(mail.c.subject, mail.c.state))}


def fields_of(page: str) -> dict[str, str]:
    """The hidden fields of the form of a page."""
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page))


def test_mails_are_listed_by_pages_with_the_newest_first(pipeline: Pipeline) -> None:
    queue(pipeline, range(120))
    client = visitor(pipeline, Access.read())
    found, path = [], "/mail?to=a.example"
    while path:
        shown = client.page(path)
        assert "120 found" in shown
        found += [int(number) for number in re.findall(r"<td>mail (\d+)</td>", shown)]
        (path,) = re.findall(r'rel="next" href="([^"]+)"', shown) or [""]
        path = path.replace("&amp;", "&")
    assert found == list(range(119, -1, -1))


@pytest.mark.parametrize(
    ("query", "count"),
    [("state=held", 3), ("to=u2%40", 1), ("older=1h", 0), ("newer=1h", 10), ("priority=9", 0)],
)
def test_filters_are_those_of_the_command(pipeline: Pipeline, query: str, count: int) -> None:
    queue(pipeline, range(7))
    queue(pipeline, range(7, 10), state="held")
    assert f"<p>{count} found.</p>" in visitor(pipeline, Access.read()).page(f"/mail?{query}")


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("state=none", "unsure"),
        ("older=x", "10m, 2h or 3d"),
        ("priority=12", "0 to 9"),
        ("below=-1", "number"),
        ("to=%00", "NUL"),
    ],
)
def test_a_wrong_filter_is_a_line(pipeline: Pipeline, query: str, word: str) -> None:
    problem(visitor(pipeline, Access.read()).get(f"/mail?{query}"), 400, word)


@pytest.mark.parametrize(
    ("move", "before", "after"),
    [
        ("hold", "waiting", "held"),
        ("release", "held", "waiting"),
        ("cancel", "failed", "canceled"),
        ("retry", "failed", "waiting"),
    ],
)
def test_a_move_says_to_how_many_and_is_done_when_confirmed(
    pipeline: Pipeline, move: str, before: str, after: str
) -> None:
    queue(pipeline, range(4), state=before, attempts=1)
    queue(pipeline, range(4, 6), state=before, attempts=1, recipients='["other@b.example"]')
    client = visitor(pipeline, Access.act())
    asked = client.send(f"/mail/{move}", to="a.example")
    assert "<strong>4 mails.</strong>" in asked.text
    assert "data-live" not in asked.text
    assert set(states(pipeline.engine).values()) == {before}
    queue(pipeline, range(6, 8), state=before, attempts=1)  # not what was confirmed
    done = client.send(f"/mail/{move}", **fields_of(asked.text))
    assert done.status_code == 303
    assert f"4 mails {questions.DONE[move]}" in client.page(done.headers["location"])
    found = states(pipeline.engine)
    assert [found[f"mail {n}"] for n in range(8)] == [after] * 4 + [before] * 4


@pytest.mark.parametrize(
    ("state", "moves"),
    [
        ("waiting", {"hold", "cancel", "retry"}),
        ("unsure", {"release", "cancel"}),
        ("failed", {"cancel", "retry", "purge"}),
        ("sending", set()),
    ],
)
def test_one_mail_is_changed_from_its_own_page(pipeline: Pipeline, state: str, moves: set[str]) -> None:
    queue(pipeline, range(2), state=state, error="failed at smtp://shop:hidden@mail.example")
    client = visitor(pipeline, Access.act())
    (path, _) = re.findall(r'href="(/mail/\d+)"', client.page("/mail"))
    shown = client.page(path)
    assert "hidden@" not in shown
    assert set(re.findall(r'action="/mail/(\w+)"', shown)) == moves
    for move in sorted(moves)[:1]:
        asked = client.send(f"/mail/{move}", mail=path.removeprefix("/mail/"), state=state)
        assert "<strong>1 mail.</strong>" in asked.text
        client.send(f"/mail/{move}", **fields_of(asked.text))
        assert states(pipeline.engine) == {"mail 0": state, "mail 1": {"cancel": "canceled"}[move]}


def test_purge_deletes_what_was_sent_and_nothing_else(pipeline: Pipeline) -> None:
    for at, state in enumerate(STATES):
        queue(pipeline, range(at, at + 1), state=state)
    client = visitor(pipeline, Access.act("purge"))
    client.send("/mail/purge", **fields_of(client.send("/mail/purge", to="").text))
    assert set(states(pipeline.engine).values()) == set(STATES) - {"sent", "canceled"}


def test_only_so_many_are_changed_at_once(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oyez.consumers.dashboard.pages.mail_moves.MOST", 3)
    queue(pipeline, range(5))
    client = visitor(pipeline, Access.act())
    asked = client.send("/mail/hold", to="").text
    assert "<strong>3 mails.</strong>" in asked
    assert "do it again" in asked
    client.send("/mail/hold", **fields_of(asked))
    assert sorted(states(pipeline.engine).values()) == ["held"] * 3 + ["waiting"] * 2


def test_who_may_not_is_shown_no_form_and_changes_nothing(pipeline: Pipeline) -> None:
    queue(pipeline, range(1))
    client = visitor(pipeline, Access.act("release"))
    assert 'action="/mail/hold"' not in client.page("/mail")
    problem(client.send("/mail/hold", confirmed="yes", upto="100", made="1"), 403, "not hold")
    problem(visitor(pipeline, Access.read()).send("/outbox/retry", confirmed="yes"), 403, "not retry")
    problem(visitor(pipeline, Access.act()).post("/mail/hold", data={"confirmed": "yes"}), 403, "origin")
    assert set(states(pipeline.engine).values()) == {"waiting"}


def test_a_state_that_is_not_for_a_move_is_a_line(pipeline: Pipeline) -> None:
    problem(visitor(pipeline, Access.act()).send("/mail/hold", state="sent"), 400, "not for hold")


def test_a_mail_is_shown_whole_only_when_asked(pipeline: Pipeline) -> None:
    queue(pipeline, range(1), content=f"Subject: x\r\n\r\n{HOSTILE}".encode())
    client = visitor(pipeline, Access.read())
    (path,) = re.findall(r'href="(/mail/\d+)"', client.page("/mail"))
    assert SHOWN not in client.page(path)
    assert SHOWN in client.page(f"{path}?content=1")
    for number in ("0", "x", "99999999999999999999"):
        problem(client.get(f"/mail/{number}"), 404, "no mail")


def test_hostile_texts_are_shown_as_they_are(pipeline: Pipeline) -> None:
    names = ("app", "handler", "source", "event_id", "sender", "subject", "message_id", "error")
    queue(
        pipeline,
        range(1),
        **dict.fromkeys(names, HOSTILE),
        recipients=f"[{_json(HOSTILE)}]",
        remaining=f"[{_json(HOSTILE)}]",
    )
    row = {"topic": HOSTILE, "key": HOSTILE, "value": b"x", "announced_at": 1.0, "refused": HOSTILE}
    with pipeline.engine.begin() as db:
        db.execute(insert(outbox), [row, {**row, "refused": None}])
    client = visitor(pipeline, Access.act())
    (path,) = re.findall(r'href="(/mail/\d+)"', client.page("/mail"))
    for page, least in (("/mail", 4), (path, 8), ("/outbox", 5)):
        shown = client.page(page)
        assert "<script>" not in shown
        assert "\u202e" not in shown
        assert "{{ 7 * 7 }}" in shown
        assert shown.count(SHOWN) >= least
    shown = client.send("/mail/hold", handler=HOSTILE, error=HOSTILE).text
    assert "<script>" not in shown
    assert SHOWN in shown


def _json(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def test_a_page_asks_as_often_however_many_mails_there_are(pipeline: Pipeline) -> None:
    def asked() -> int:
        app: Any = app_of(pipeline, Access.read())
        statements: list[str] = []
        engine = app.state.board.engine
        event.listen(engine, "before_cursor_execute", lambda _c, _u, text, *_: statements.append(text))
        Visitor(app).page("/mail")
        return len(statements)

    few = asked()
    queue(pipeline, range(300))
    assert asked() == few


def test_the_outbox_says_what_waits_and_what_was_refused_is_tried_again(pipeline: Pipeline) -> None:
    rows = [
        {"topic": "t", "key": f"k{n}", "value": b"12345", "announced_at": 1_000.0 + n, "refused": why}
        for n, why in enumerate([None, "too large", None, "unknown topic"])
    ]
    with pipeline.engine.begin() as db:
        db.execute(insert(outbox), rows)
    client = visitor(pipeline, Access.act("retry"))
    shown = client.page("/outbox")
    assert shown.index("too large") < shown.index("unknown topic") < shown.index("k0") < shown.index("k2")
    asked = client.send("/outbox/retry", confirmed="").text
    assert "2 events that were refused will wait again" in asked
    assert "too large" in client.page("/outbox")
    assert client.send("/outbox/retry", **fields_of(asked)).headers["location"] == "/outbox"
    shown = client.page("/outbox")
    assert "too large" not in shown
    assert "Nothing in the outbox was refused." in client.send("/outbox/retry", confirmed="").text


def test_the_spool_of_this_machine(pipeline_sqlite: str, tmp_path: Path) -> None:
    spooled = SpoolPipeline(pipeline_sqlite, on, tmp_path)
    settings = ListenSettings(database=pipeline_sqlite, topic=TOPIC, transport="spool", spools=(tmp_path,))
    assert "Nothing was spooled here" in looking(spooled.application, settings).page("/spool")
    spooled.announce(*(Placed(n=n) for n in range(3)))
    spooled.close()
    shown = looking(spooled.application, settings).page("/spool")
    assert str(tmp_path / "web" / TOPIC) in shown
    assert re.search(r'<td class="number">-</td><td class="number">3</td>', shown)


def looking(application: Application, settings: ListenSettings) -> Visitor:
    return Visitor(dashboard(application, access=anybody(Access.read()), settings=settings))


@pytest.mark.parametrize("transport", ["kafka", "spool"])
def test_a_spool_that_cannot_be_read_is_a_line_of_each_page(
    pipeline_sqlite: str, tmp_path: Path, transport: str
) -> None:
    """What else these pages say, they say all the same."""
    spooled = SpoolPipeline(pipeline_sqlite, on, tmp_path)
    spooled.announce(Placed())
    spooled.close()
    identity = tmp_path / "other" / "folder.json"
    identity.parent.mkdir()
    identity.symlink_to(identity)  # nobody may read it, not even root
    settings = ListenSettings(
        database=pipeline_sqlite,
        topic=TOPIC,
        transport=transport,
        kafka="127.0.0.1:1",
        spool=tmp_path if transport == "kafka" else None,
        spools=(tmp_path,),
    )
    client = looking(spooled.application, settings)
    shown = client.page("/")
    (line,) = [line for line in shown.splitlines() if f"{identity}: Too many levels" in line]
    assert "the spool cannot be read" in line
    assert "<li>" in line if transport == "kafka" else 'class="problem"' in line
    assert "shop.placed" in shown
    shown = client.page("/spool")
    assert shown.count(f"{identity}: Too many levels") == 1
    assert str(tmp_path / "web" / TOPIC) in shown
    client.page("/doctor")
