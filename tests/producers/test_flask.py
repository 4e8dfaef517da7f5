"""An announcer and the visitor session in a Flask application."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Blueprint, Flask, Response, session, stream_with_context

from oyez.producers import Announcer, SettingsError, visitor_session
from oyez.producers.flask import Oyez, in_session
from oyez.producers.session import bound_session
from oyez.producers.web import KeyOf, cookie
from oyez.producers.web.keys import no_key

SEEN = list[tuple[str, str | None]]


def application(seen: SEEN, key: KeyOf) -> Flask:
    """It notes what is bound, and where."""
    app = Flask("shop")
    app.config.update(SECRET_KEY="s", OYEZ_TRANSPORT="memory", OYEZ_SOURCE="web-1", OYEZ_BATCH=7)
    oyez = Oyez(key=key)
    oyez.init_app(app)

    def note(where: str) -> None:
        seen.append((where, bound_session()))

    @app.get("/login/<name>")
    def login(name: str) -> str:
        session["visitor"] = name
        return oyez.announcer.source

    @app.get("/")
    def view() -> Response:
        note("view")

        @stream_with_context
        def parts() -> Iterator[str]:
            for _ in range(2):
                note("body")
                yield "."

        answer = Response(parts())
        answer.call_on_close(lambda: note("closed"))
        return answer

    @app.get("/fails")
    def fails() -> str:
        raise LookupError

    @app.errorhandler(LookupError)
    def failed(_error: LookupError) -> tuple[str, int]:
        note("error")
        return "no", 500

    @app.teardown_request
    def end(_error: BaseException | None) -> None:
        note("teardown")

    return app


WHERE = ["view", "body", "body", "closed"]


def test_the_key_is_in_flasks_session() -> None:
    seen: SEEN = []
    client = application(seen, in_session("visitor")).test_client()
    client.get("/", buffered=True)
    assert client.get("/login/ann").text == "web-1"
    client.get("/", buffered=True)
    client.get("/fails")
    found = [one for one in seen if one[0] != "teardown"]
    assert found == [(where, None) for where in WHERE] + [(where, "ann") for where in [*WHERE, "error"]]
    assert [key for where, key in seen if where == "teardown"] == [None] * 3 + ["ann"] * 3
    assert bound_session() is None


def test_the_key_is_in_a_cookie_or_wherever_a_function_finds_it() -> None:
    for key in (cookie("sid"), lambda environ: environ["HTTP_COOKIE"].removeprefix("sid=")):
        seen: SEEN = []
        application(seen, key).test_client(use_cookies=False).get(
            "/", headers={"Cookie": "sid=ann"}, buffered=True
        )
        assert {found for _, found in seen} == {"ann"}


def test_without_a_key_no_request_has_the_one_that_is_bound_around_it() -> None:
    seen: SEEN = []
    with visitor_session("somebody else"):
        application(seen, no_key).test_client().get("/", buffered=True)
        assert bound_session() == "somebody else"
    assert {where for where, _ in seen} == {*WHERE, "teardown"}
    assert {found for _, found in seen} == {None}


def test_each_application_has_its_announcer_with_its_settings() -> None:
    oyez, first, second = Oyez(), Flask("first"), Flask("second")
    for app in (first, second):
        app.config.update(OYEZ_TRANSPORT="memory", OYEZ_SOURCE=app.name)
        oyez.init_app(app)
    with first.app_context():
        announcer = oyez.announcer
        assert (announcer.source, oyez.announcer) == ("first", announcer)
    with second.app_context():
        assert oyez.announcer.source == "second"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("OYEZ_SORCE", "web", "app.config: there is no setting sorce; did you mean source?"),
        ("OYEZ_FLUSH_TIMEOUT", "soon", "app.config: settings: flush_timeout: "),
        ("OYEZ_TRANSPORT", "pigeon", "transport 'pigeon' (OYEZ_TRANSPORT) is unknown; known: "),
    ],
)
def test_a_wrong_setting_is_an_error_at_once(name: str, value: str, said: str) -> None:
    app = Flask("shop")
    app.config[name] = value
    with pytest.raises(SettingsError) as error:
        Oyez(app)
    assert str(error.value).startswith(said)
    assert "\n" not in str(error.value)


def test_a_wrong_value_is_said_by_the_name_that_it_has_where_it_stands(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = Flask("shop")
    app.config["OYEZ_FLUSH_TIMEOUT"] = "soon"
    with pytest.raises(SettingsError, match=r"\(from app.config\['OYEZ_FLUSH_TIMEOUT'\]\)$"):
        Oyez(app)
    app.config.update(OYEZ_FLUSH_TIMEOUT=1, OYEZ_SCHEMA="s" * 64)
    with pytest.raises(SettingsError, match=r"\(from app.config\['OYEZ_SCHEMA'\]\)$"):
        Oyez(app)
    monkeypatch.setenv("OYEZ_FLUSH_TIMEOUT", "soon")
    with pytest.raises(SettingsError, match=r"^settings: flush_timeout: .* \(from OYEZ_FLUSH_TIMEOUT\)$"):
        Oyez(Flask("shop"))


def test_what_is_set_before_the_announcer_is_made_counts() -> None:
    app = Flask("shop")
    oyez = Oyez(app)
    app.config.update(OYEZ_TRANSPORT="memory", OYEZ_SOURCE="later")
    with app.app_context():
        assert oyez.announcer.source == "later"
    late = Flask("shop")
    oyez.init_app(late)
    late.config["OYEZ_SORCE"] = "later"
    with late.app_context(), pytest.raises(SettingsError, match="did you mean source"):
        assert oyez.announcer


def test_an_application_that_was_not_given_says_so() -> None:
    with (
        Flask("shop").app_context(),
        pytest.raises(SettingsError, match=r"'shop' has no announcer: call init_app"),
    ):
        assert Oyez().announcer


def test_files_may_be_kept_by_caches(tmp_path: Path) -> None:
    (tmp_path / "a.css").write_text("")
    part = Blueprint("part", __name__, static_folder=tmp_path, static_url_path="/part")
    app = Flask("shop", static_folder=tmp_path, static_url_path="/static")
    app.config.update(SECRET_KEY="s", OYEZ_TRANSPORT="memory")
    app.register_blueprint(part)
    Oyez(app, key=in_session("visitor"))
    for folder in ("static", "part"):
        with app.test_client().get(f"/{folder}/a.css") as answer:
            assert (answer.status_code, answer.headers.get("Vary")) == (200, None)


def test_the_context_of_a_test_leaves_nothing_bound() -> None:
    app = application([], lambda _: "ann")
    with visitor_session("before"):
        with app.test_request_context("/"):
            app.preprocess_request()
            assert bound_session() == "ann"
        assert bound_session() == "before"


def test_what_is_not_set_there_is_set_as_always(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OYEZ_SOURCE", "from the environment")
    monkeypatch.setenv("OYEZ_TRANSPORT", "kafka")
    app = Flask("shop")
    app.config["OYEZ_TRANSPORT"] = "memory"
    oyez = Oyez(app)
    with app.app_context():
        made: Any = oyez.announcer
        assert isinstance(made, Announcer)
        assert made.source == "from the environment"
        assert type(made._transport).__name__ == "MemoryTransport"
