"""A shop whose pages have `oyez.js`, and what its collector has stored."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from oyez.producers.collector.settings import CollectSettings
from oyez.schemas import Catalogue, Signal
from support.spooled import spooled

SIGNALS = Catalogue()
PAGE = """<!doctype html><title>A shop</title>
<script src="{collector}/oyez.js" data-site="shop" data-view="page.viewed" data-leave="page.left"
        data-link="link.followed" {more}></script>
<a id="away" href="/gone">away</a>"""
POLICY = (
    "default-src 'none'; script-src {collector}; connect-src {collector}; require-trusted-types-for 'script'"
)


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


class Shop(ThreadingHTTPServer):
    """Every path is a page with the script, whose tag has `more`, under a strict policy."""

    daemon_threads = True

    def __init__(self, collector: str, more: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.collector, self.more = collector, more
        self.address = f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Shop

    def do_GET(self) -> None:
        shop = self.server
        text = PAGE.format(collector=shop.collector, more=shop.more)
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Security-Policy", POLICY.format(collector=shop.collector))
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 # http.server's name
        """A request is no line in the log."""


@contextmanager
def shop_site(port: int, more: str = 'data-consent="yes"') -> Iterator[Shop]:
    """The shop, whose collector is at this port."""
    with Shop(f"http://127.0.0.1:{port}", more) as found:
        threading.Thread(target=found.serve_forever, daemon=True).start()
        yield found
        found.shutdown()


def settings_for(folder: Path, shop: Shop, port: int, **more: Any) -> CollectSettings:
    """Those of the shop's collector."""
    names = [one.name for one in SIGNALS]
    sites = {"shop": {"origins": [shop.address], "signals": names}}
    given: dict[str, Any] = {"spool": folder / "spool", "source": "door", "collect_port": port}
    return CollectSettings(**given, collect_sites=sites, **more)


def told(folder: Path, shop: Shop) -> list[tuple[str, str]]:
    """What was announced: signals, each with what its event is about."""
    found = [(one["type"], one["data"]) for one in spooled(folder).values()]
    return [
        (kind, str(data.get("to") or data.get("url") or data["items"]).removeprefix(shop.address))
        for kind, data in found
    ]
