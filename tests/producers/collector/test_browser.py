"""`oyez.js` in a real Chromium: what a visitor does on a page comes into the spool."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from oyez.producers.collector.settings import CollectSettings
from oyez.schemas import Catalogue, Signal
from producers.collector.running import running
from support.chromium import browsing
from support.pages import free_port
from support.spooled import spooled
from support.waiting import eventually

SIGNALS = Catalogue()
PAGE = """<!doctype html><title>A shop</title>
<script src="{collector}/oyez.js" data-site="shop" data-view="page.viewed" data-leave="page.left"
        data-link="link.followed" {more}></script>
<a id="away" href="http://elsewhere.example/x">away</a>
<script src="{path}.js"></script>"""
POLICY = "default-src 'none'; script-src 'self' {collector}; connect-src 'self' {collector}"


class Viewed(Signal, name="page.viewed", catalogue=SIGNALS):
    url: str
    title: str
    referrer: str


class Left(Signal, name="page.left", catalogue=SIGNALS):
    url: str
    seconds: int


class Followed(Signal, name="link.followed", catalogue=SIGNALS):
    url: str
    to: str


class Filled(Signal, name="basket.filled", catalogue=SIGNALS):
    items: int


class Site(ThreadingHTTPServer):
    """A site with a script for each page. `/go` is answered when `go` is set; to ask for `/failed` sets `failed`."""

    daemon_threads = True

    def __init__(self, collector: str, scripts: dict[str, str], more: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.collector, self.scripts, self.more = collector, scripts, more
        self.go, self.failed = threading.Event(), threading.Event()
        self.address = f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Site

    def do_GET(self) -> None:
        path, site = self.path, self.server
        if path == "/go":
            site.go.wait(60)
        if path == "/failed":
            site.failed.set()
        kind, text = "text/html", PAGE.format(collector=site.collector, path=path, more=site.more)
        if path.endswith(".js"):
            kind, text = "text/javascript", site.scripts.get(path.removesuffix(".js"), "")
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Security-Policy", POLICY.format(collector=site.collector))
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 # http.server's name
        """A request is no line in the log."""


@contextmanager
def site(port: int, scripts: dict[str, str], more: str = 'data-consent="yes"') -> Iterator[Site]:
    with Site(f"http://127.0.0.1:{port}", scripts, more) as found:
        threading.Thread(target=found.serve_forever, daemon=True).start()
        yield found
        found.go.set()
        found.shutdown()


def said(folder: Path, shop: Site, port: int, **more: Any) -> CollectSettings:
    names = [one.name for one in SIGNALS]
    sites = {"shop": {"origins": [shop.address], "signals": names}}
    given: dict[str, Any] = {"spool": folder / "spool", "source": "door", "collect_port": port}
    return CollectSettings(**given, collect_sites=sites, **more)


def told(folder: Path, shop: Site) -> list[tuple[str, str]]:
    """What was announced: signals, each with what its event is about."""
    found = [(one["type"], one["data"]) for one in spooled(folder).values()]
    return [
        (kind, str(data.get("to") or data.get("url") or data["items"]).removeprefix(shop.address))
        for kind, data in found
    ]


VISIT = """
addEventListener("load", () => {
  oyez("basket.filled", {items: 2});
  history.pushState(null, "", "/two");
  document.getElementById("away").addEventListener("click", (event) => event.preventDefault());
  document.getElementById("away").click();
  setTimeout(() => { location.href = "/last"; }, 50);
});
"""


@pytest.mark.slow
def test_a_visit_comes_in_once_and_whole(tmp_path: Path) -> None:
    port = free_port()
    with site(port, {"/one": VISIT}) as shop, running(said(tmp_path, shop, port), signals=SIGNALS):
        with browsing(f"{shop.address}/one", tmp_path / "browser"):
            eventually(lambda: ("page.viewed", "/last") in told(tmp_path, shop))
        expected = [
            ("basket.filled", "2"),
            ("link.followed", "http://elsewhere.example/x"),
            *[("page.left", path) for path in ("/one", "/two")],
            *[("page.viewed", path) for path in ("/last", "/one", "/two")],
        ]
        known = [
            one for one in told(tmp_path, shop) if one != ("page.left", "/last")
        ]  # the browser's end, if it hears of it
        assert sorted(known) == expected
        kept = spooled(tmp_path).values()
        assert len({one["partitionkey"] for one in kept}) == 1
        (second,) = (
            one["data"]
            for one in kept
            if one["data"].get("url", "").endswith("/two") and "referrer" in one["data"]
        )
        assert second == {"url": f"{shop.address}/two", "title": "A shop", "referrer": f"{shop.address}/one"}


@pytest.mark.slow
def test_without_consent_the_page_keeps_no_session(tmp_path: Path) -> None:
    port = free_port()
    reads = (
        'addEventListener("load", () => oyez("basket.filled", {items: Object.keys(localStorage).length}));'
    )
    with site(port, {"/one": reads}, "") as shop, running(said(tmp_path, shop, port), signals=SIGNALS):
        with browsing(f"{shop.address}/one", tmp_path / "browser"):
            eventually(lambda: ("basket.filled", "0") in told(tmp_path, shop))
        assert not any("partitionkey" in one for one in spooled(tmp_path).values())


OFFLINE = """
const own = fetch;
window.fetch = (...given) => own(...given).catch((error) => { own("/failed"); throw error; });
own("/go").then(() => { oyez("basket.filled", {items: 1}); oyez("basket.filled", {items: 2}); oyez.flush(); });
"""


@pytest.mark.slow
def test_what_is_announced_while_the_collector_is_away_comes_in_later(tmp_path: Path) -> None:
    port = free_port()
    with site(port, {"/one": OFFLINE}) as shop, ExitStack() as until_the_end:
        settings = said(tmp_path, shop, port)
        with running(settings, signals=SIGNALS):
            until_the_end.enter_context(browsing(f"{shop.address}/one", tmp_path / "browser"))
            eventually(lambda: ("page.viewed", "/one") in told(tmp_path, shop))
        shop.go.set()
        assert shop.failed.wait(60)
        with running(settings, signals=SIGNALS):
            eventually(lambda: ("basket.filled", "2") in told(tmp_path, shop))
        filled = sorted(one for one in told(tmp_path, shop) if one[0] == "basket.filled")
        assert filled == [("basket.filled", "1"), ("basket.filled", "2")]
