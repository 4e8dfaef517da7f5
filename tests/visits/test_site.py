"""`visits site` without a browser: what pages post is collected, handled and reported."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from oyez.consumers.dev.ports import free_port
from support.visits_site import reported, running_site
from visits.site.web import KEY

from .test_commands import NOBODY, run

pytestmark = pytest.mark.slow


def posted(client: httpx.Client, origin: str, *events: dict[str, Any], **more: Any) -> httpx.Response:
    body = json.dumps({"events": events, **more})
    headers = {"Origin": origin, "Content-Type": "text/plain", "User-Agent": "Mozilla/5.0 Firefox/140.0"}
    return client.post(f"/collector/collect?site={KEY}", content=body, headers=headers)


def test_what_pages_post_is_collected_handled_and_reported(tmp_path: Path) -> None:
    with running_site(tmp_path) as client:
        own = str(client.base_url)
        page = client.get("/pharos")
        assert "script-src 'self'" in page.headers["Content-Security-Policy"]
        (script,) = re.findall(r'<script src="(/collector[^"]+)"', page.text)
        assert "sendBeacon" in client.get(script).raise_for_status().text
        (image,) = re.findall(r'<img [^>]*src="([^"]+)"', page.text)
        assert (
            client.get(image.replace("&amp;", "&"), headers={"Referer": f"{own}/pharos"}).status_code == 200
        )
        view = {"signal": "site.viewed", "data": {"url": f"{own}/pharos", "title": "The Pharos"}}
        left = {"signal": "site.left", "data": {"url": f"{own}/pharos", "seconds": 4}}
        like = {"signal": "site.liked", "data": {"url": f"{own}/pharos"}}
        link = {"signal": "site.followed", "data": {"url": f"{own}/pharos", "to": "https://a.example/"}}
        first = posted(client, own, view, left, like, link, consent=True, session="a" * 32)
        assert first.status_code == 202, first.text
        assert posted(client, own, view).status_code == 202
        wrong = {"signal": "site.viewed", "data": {"url": "http://["}}
        assert posted(client, own, wrong).status_code == 422
        assert posted(client, "https://elsewhere.example", view).status_code == 403
        said = reported(client, lambda report: report["views"] == 3 and bool(report["links"]))
        assert said == {
            "views": 3,
            "visits": 3,  # one has a session, two an id of the day: two agents
            "without_visit": 0,
            "bots": 1,
            "pages": [{"path": "/pharos", "views": 3, "seconds": 4.0, "likes": 1}],
            "links": {"https://a.example/": 1},
        }
        assert "/pharos" in client.get("/report").text
        assert client.get("/nowhere").status_code == 404


def test_the_site_beside_a_collector_lets_its_pages_load_from_there(tmp_path: Path) -> None:
    beside = f"http://127.0.0.1:{free_port()}"
    with running_site(tmp_path, "--collector", beside) as client:
        page = client.get("/")
        assert f'<script src="{beside}/oyez.js"' in page.text
        assert f"connect-src 'self' {beside};" in page.headers["Content-Security-Policy"]
        assert client.get("/report.json").json()["views"] == 0
        assert client.get("/collector/oyez.js").status_code == 404


@pytest.mark.parametrize(
    ("options", "status", "message"),
    [
        (["--kafka", NOBODY], 5, f"no Kafka answers at {NOBODY}"),
        (["--database", "nonsense"], 1, "cannot be read"),
        (["--work", "/dev/null/x"], 1, "cannot write to the folder"),
    ],
)
def test_what_cannot_be_had_is_one_line(
    tmp_path: Path, options: list[str], status: int, message: str
) -> None:
    done = run(tmp_path, "site", "--port", "0", *options)
    assert (done.returncode, done.stdout) == (status, "")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
