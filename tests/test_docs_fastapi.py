"""What docs/fastapi.md shows is run as it is written."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from oyez.consumers.dev.ports import answers, free_port
from support.pages import ROOT, block, run_commands, run_tests, shell, written
from support.spooled import spooled
from support.waiting import eventually

PAGE = ROOT / "docs/fastapi.md"


def ask(client: httpx.Client, path: str, session: str | None) -> str:
    answer = client.get(path, headers={} if session is None else {"Cookie": f"sid={session}"})
    assert answer.status_code == 200
    said: str = answer.json()["id"]
    return said


def test_the_application_runs_with_several_workers(tmp_path: Path) -> None:
    written(PAGE, tmp_path, "app.py")
    port = free_port()
    commands = block(PAGE, "commands").replace("uvicorn ", f"exec uvicorn --port {port} ")
    with shell(commands, tmp_path) as log:
        eventually(lambda: log.read_text().count("Application startup complete") == 2)
        assert answers(port)
        sessions = ["a", "b", None]
        with (
            httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client,
            ThreadPoolExecutor(10) as pool,
        ):
            asked = {pool.submit(ask, client, f"/pages/{n}", sessions[n % 3]): n for n in range(60)}
            ids = {one.result(): sessions[n % 3] for one, n in asked.items()}
        # What was answered is stored, whatever becomes of the server.
        assert {name: one.get("partitionkey") for name, one in spooled(tmp_path).items()} == ids
    assert "Traceback" not in log.read_text()


def test_a_broker_that_is_away_is_answered_with_503(tmp_path: Path) -> None:
    written(PAGE, tmp_path, "app.py")
    (tmp_path / "ask.py").write_text(
        "from app import app\n"
        "from fastapi.testclient import TestClient\n"
        "with TestClient(app) as client:\n"
        "    answer = client.get('/pages/tea')\n"
        "print(answer.status_code, answer.json()['detail'])\n"
    )
    away = f"export OYEZ_KAFKA=127.0.0.1:{free_port()} OYEZ_ANNOUNCE_TIMEOUT=0.5 OYEZ_FLUSH_TIMEOUT=1"
    said = run_commands(f"{away}; python ask.py", tmp_path)
    assert said.startswith("503 page.viewed was not announced: the broker")


def test_the_tests_pass(tmp_path: Path) -> None:
    run_tests(PAGE, tmp_path, "app.py", "handlers.py", "conftest.py", "test_app.py")


def test_the_key_is_in_the_signed_session(tmp_path: Path) -> None:
    written(PAGE, tmp_path, "signed.py")
    port = free_port()
    with shell(f"exec uvicorn --port {port} signed:app", tmp_path) as log:
        eventually(lambda: answers(port))
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as visitor:
            session = visitor.get("/").json()["visitor"]
            event_id = visitor.get("/pages/cart").json()["id"]
        assert spooled(tmp_path)[event_id]["partitionkey"] == session
    assert "Traceback" not in log.read_text()


@pytest.mark.parametrize(
    ("server", "name", "asked", "event"),
    [
        ("uvicorn --port ", "lifespan.py", "POST /doors/front", {"type": "opened", "source": "front door"}),
        ("uvicorn --port ", "basket.py", "DELETE /basket", {"type": "basket.emptied", "data": {}}),
        ("hypercorn --bind 127.0.0.1:", "star.py", "GET /pages/1", {"data": {"url": "/pages/1"}}),
    ],
)
def test_the_other_applications_run(
    server: str, name: str, asked: str, event: dict[str, Any], tmp_path: Path
) -> None:
    written(PAGE, tmp_path, name)
    port = free_port()
    with shell(f"exec {server}{port} {name.removesuffix('.py')}:app", tmp_path) as log:
        eventually(lambda: answers(port))
        method, path = asked.split()
        answer = httpx.request(method, f"http://127.0.0.1:{port}{path}", cookies={"sid": "a"}, timeout=60)
        assert answer.status_code == 200
        ((event_id, found),) = spooled(tmp_path).items()
        assert event.items() <= found.items()
        if name == "lifespan.py":
            assert answer.json() == "welcome"
        if name == "star.py":
            assert (answer.text, found["partitionkey"]) == (event_id, "a")
    assert "Traceback" not in log.read_text()
