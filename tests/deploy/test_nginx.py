"""deploy/nginx is what nginx takes, and the collector and the dashboard work behind it."""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from consumers.pipeline import Placed, known, prepare
from oyez.consumers import Application, Handlers
from oyez.consumers.dashboard.serving import served
from oyez.consumers.dashboard.serving import server as dashboard_server
from oyez.consumers.dashboard.settings import DashboardSettings, require_access_control
from oyez.consumers.dev.ports import free_port
from oyez.producers import SettingsError
from oyez.producers.collector import listening
from producers.collector.running import running, serving, settings
from support.nginx import Nginx, certificate, names_on_this_machine
from support.pages import ROOT
from support.spooled import spooled

FILE = ROOT / "deploy/nginx/oyez.conf"
COLLECT, DASHBOARD = "collect.example.com", "oyez.example.com"
PAGE = "https://shop.example"
PASSWORD = "a-long-password"

on = Handlers("shop")


@on(Placed)
def place(_event: Placed) -> None:
    pass


class Proxied:
    """nginx as the file says, at a port of its own, and a client of it that comes from 127.0.0.2."""

    def __init__(self, folder: Path) -> None:
        self.port, self.collector, self.dashboard = free_port(), free_port(), free_port()
        made, key = certificate(folder, COLLECT, DASHBOARD)
        text = FILE.read_text()
        for written, here in {
            "listen 443 ": f"listen 127.0.0.1:{self.port} ",
            "127.0.0.1:8080": f"127.0.0.1:{free_port()}",  # one of the collectors is away
            "127.0.0.1:8081": f"127.0.0.1:{self.collector}",
            "127.0.0.1:8090": f"127.0.0.1:{self.dashboard}",
            "/etc/ssl/oyez/fullchain.pem": str(made),
            "/etc/ssl/oyez/key.pem": str(key),
            "allow 127.0.0.1;": "allow 127.0.0.2;",
        }.items():
            assert written in text
            text = text.replace(written, here)
        self.nginx = Nginx(folder / "nginx", text)
        trusted = ssl.create_default_context(cafile=str(made))
        self.client = httpx.Client(
            timeout=60, transport=httpx.HTTPTransport(verify=trusted, local_address="127.0.0.2")
        )

    def at(self, name: str, path: str) -> str:
        return f"https://{name}:{self.port}{path}"


@pytest.fixture
def proxied(tmp_path: Path) -> Iterator[Proxied]:
    found = Proxied(tmp_path)
    with found.client, names_on_this_machine(COLLECT, DASHBOARD), found.nginx.running(found.port):
        yield found


def test_nginx_takes_the_file(tmp_path: Path) -> None:
    """Without a warning, too."""
    said = Proxied(tmp_path).nginx.check()
    assert "test is successful" in said
    assert "[warn]" not in said


def test_what_its_head_says_to_set_is_what_the_dashboard_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    head = FILE.read_text().partition("\n\n")[0]
    for name, value in re.findall(r"(OYEZ_\w+)='([^']+)'", head):
        monkeypatch.setenv(name, value)
    require_access_control(DashboardSettings())
    monkeypatch.delenv("OYEZ_DASHBOARD_PASSWORD")
    with pytest.raises(SettingsError, match="OYEZ_DASHBOARD_PASSWORD"):
        require_access_control(DashboardSettings())


@pytest.mark.slow
def test_the_collector_behind_nginx(proxied: Proxied, tmp_path: Path) -> None:
    said = settings(
        tmp_path,
        collect_port=proxied.collector,
        collect_proxies=["127.0.0.1"],
        collect_address="keep",
        collect_max_body=2_000,
    )
    headers = {"Origin": PAGE, "Content-Type": "text/plain", "X-Forwarded-For": "203.0.113.9"}
    view = {"signal": "page.viewed", "data": {"url": "/a"}}
    where = proxied.at(COLLECT, "/collect?site=shop")
    with running(said):
        body = json.dumps({"events": [view], "consent": True})
        answer = proxied.client.post(where, content=body, headers=headers)
        assert answer.status_code == 202, answer.text
        assert "; Secure" in answer.headers["Set-Cookie"]
        large = proxied.client.post(where, content=" " * 500_000, headers=headers)
        assert (large.status_code, large.headers["Access-Control-Allow-Origin"]) == (413, PAGE)
        script = proxied.client.get(proxied.at(COLLECT, "/oyez.js"))
        assert script.headers["Content-Encoding"] == "gzip"
        (kept,) = spooled(tmp_path).values()
        assert kept["data"]["visitor_address"] == "127.0.0.2"  # not what the client has said
    away = proxied.client.post(where, content=body, headers=headers)
    assert (away.status_code, away.text) == (503, "not now; send it again later\n")
    assert away.headers["Retry-After"] == "5"
    assert away.headers["Access-Control-Allow-Origin"] == PAGE


@pytest.mark.slow
def test_the_dashboard_behind_nginx(proxied: Proxied, sqlite: str) -> None:
    prepare(sqlite)
    said = DashboardSettings(
        database=sqlite,
        transport="memory",
        dashboard_password=PASSWORD,
        dashboard_hosts=[DASHBOARD],
        dashboard_proxies=["127.0.0.1"],
    )
    app = served(Application(on, known), said, acts=True)
    where = proxied.at(DASHBOARD, "/")
    with listening("127.0.0.1", proxied.dashboard) as taken, serving(dashboard_server(app, said), taken):
        assert proxied.client.get(where).status_code == 401
        proxied.client.auth = ("anna", PASSWORD)
        page = proxied.client.get(where)
        assert page.status_code == 200, page.text
        assert "<h1>Overview</h1>" in page.text
        own = {"Origin": f"https://{DASHBOARD}:{proxied.port}"}  # a form of its own, in a browser of old
        assert proxied.client.post(where, headers=own).status_code == 405
        assert proxied.client.post(where, headers={"Origin": "https://evil.example"}).status_code == 403
        with httpx.Client(verify=False) as elsewhere:  # from 127.0.0.1, which the file here does not allow
            assert elsewhere.get(where, auth=("anna", PASSWORD)).status_code == 403
