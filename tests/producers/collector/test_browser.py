"""`oyez.js` in a real Chromium: what a visitor does on a page comes into the spool."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from oyez.consumers.dev.ports import free_port
from producers.collector.running import running
from producers.collector.shop_site import SIGNALS, Shop, settings_for, shop_site, told
from support.chromium import chromium
from support.spooled import spooled
from support.waiting import eventually

pytestmark = pytest.mark.slow
CONSENTS = 'data-consent="yes"'


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@contextmanager
def visited(browser: Browser, shop: Shop, **options: Any) -> Iterator[Page]:
    """A page of a new visitor, who has opened `/one`. What its console says is an error, such as a policy's, unless it
    is that nobody was there, or that it was too much."""
    context = browser.new_context(**options)
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda one: said.append(one.text))
    page.on("pageerror", lambda one: said.append(str(one)))
    page.goto(f"{shop.address}/one")
    try:
        yield page
    finally:
        context.close()
    assert [one for one in said if "ERR_" not in one and "status of 413" not in one] == []


def comes(folder: Path, shop: Shop, *wanted: tuple[str, str]) -> None:
    eventually(lambda: set(wanted) <= set(told(folder, shop)))


def keys(folder: Path) -> set[str]:
    return {one["partitionkey"] for one in spooled(folder).values() if "partitionkey" in one}


def test_a_visit_comes_in_once_and_whole(browser: Browser, tmp_path: Path) -> None:
    port = free_port()
    with shop_site(port) as shop, running(settings_for(tmp_path, shop, port), signals=SIGNALS):
        with visited(browser, shop) as page:
            page.evaluate("""oyez("basket.filled", {items: 2}); history.pushState(null, "", "/two")""")
            page.evaluate("addEventListener('click', (event) => event.preventDefault())")
            page.evaluate("document.getElementById('away').href = 'http://elsewhere.example/x'")
            page.click("#away")
            page.go_back()
            page.goto(f"{shop.address}/last")
            page.close(run_before_unload=True)
            comes(tmp_path, shop, ("page.left", "/last"))
        two_visits = [*["/one", "/two", "/one", "/last"]]
        assert sorted(told(tmp_path, shop)) == [
            ("basket.filled", "2"),
            ("link.followed", "http://elsewhere.example/x"),
            *sorted(("page.left", path) for path in two_visits),
            *sorted(("page.viewed", path) for path in two_visits),
        ]
        assert len(keys(tmp_path)) == 1
        second = next(
            one["data"]
            for one in spooled(tmp_path).values()
            if one["type"] == "page.viewed" and one["data"]["url"].endswith("/two")
        )
        assert second == {"url": f"{shop.address}/two", "title": "A shop", "referrer": f"{shop.address}/one"}


BACK = """for (const name of ["pagehide", "pageshow"])
    dispatchEvent(new PageTransitionEvent(name, {persisted: true}))"""


def test_a_page_that_the_browser_has_kept_is_left_and_viewed_again(browser: Browser, tmp_path: Path) -> None:
    """Debian's Chromium without a screen keeps no page that was left: it is told what browsers say of one."""
    port = free_port()
    with shop_site(port) as shop, running(settings_for(tmp_path, shop, port), signals=SIGNALS):
        with visited(browser, shop) as page:
            page.evaluate(BACK)
            page.goto(f"{shop.address}/last")
            comes(tmp_path, shop, ("page.viewed", "/last"))
        seen = sorted(one for one in told(tmp_path, shop) if one != ("page.left", "/last"))
        assert seen == [
            *[("page.left", "/one")] * 2,
            *[("page.viewed", path) for path in ("/last", "/one", "/one")],
        ]


def test_without_consent_the_page_keeps_no_session(browser: Browser, tmp_path: Path) -> None:
    port = free_port()
    with shop_site(port, "") as shop, running(settings_for(tmp_path, shop, port), signals=SIGNALS):
        with visited(browser, shop) as page:
            comes(tmp_path, shop, ("page.viewed", "/one"))
            assert page.evaluate("localStorage.length") == 0
            assert page.context.cookies() == []
            assert keys(tmp_path) == set()
            page.evaluate("""oyez.consent(true); oyez("basket.filled", {items: 1})""")
            comes(tmp_path, shop, ("basket.filled", "1"))
            assert len(keys(tmp_path)) == 1
            page.evaluate("""oyez.consent(false); oyez("basket.filled", {items: 2})""")
            comes(tmp_path, shop, ("basket.filled", "2"))
            assert page.evaluate("localStorage.length") == 0
        said = [one for one in spooled(tmp_path).values() if one["type"] == "basket.filled"]
        assert [one["data"]["items"] for one in said if "partitionkey" in one] == [1]


OPT_OUTS = {
    "Sec-GPC": "Object.defineProperty(navigator, 'globalPrivacyControl', {value: true})",
    "DNT": "Object.defineProperty(navigator, 'doNotTrack', {value: '1'})",
}


@pytest.mark.parametrize("opt_out", OPT_OUTS)
def test_who_has_opted_out_has_no_session(browser: Browser, opt_out: str, tmp_path: Path) -> None:
    """Whatever the page says. This Chromium has no switch for either: its pages are told as those of others are."""
    port = free_port()
    with shop_site(port) as shop, running(settings_for(tmp_path, shop, port), signals=SIGNALS):
        with browser.new_context(extra_http_headers={opt_out: "1"}) as context:
            context.add_init_script(OPT_OUTS[opt_out])
            page = context.new_page()
            page.goto(f"{shop.address}/one")
            comes(tmp_path, shop, ("page.viewed", "/one"))
            assert page.evaluate("localStorage.length") == 0
            assert context.cookies() == []
        assert keys(tmp_path) == set()


def test_the_session_can_be_the_servers_cookie(browser: Browser, tmp_path: Path) -> None:
    port = free_port()
    more = f'{CONSENTS} data-session="cookie"'
    with shop_site(port, more) as shop, running(settings_for(tmp_path, shop, port), signals=SIGNALS):
        with visited(browser, shop) as page:
            comes(tmp_path, shop, ("page.viewed", "/one"))
            page.goto(f"{shop.address}/two")
            comes(tmp_path, shop, ("page.viewed", "/two"))
            (cookie,) = page.context.cookies()
            assert (cookie["name"], cookie["httpOnly"], cookie["sameSite"]) == ("oyez_session", True, "Lax")
            assert page.evaluate("localStorage.length") == 0
        assert keys(tmp_path) == {cookie["value"]}


def fails(page: Page, act: Callable[[], object]) -> None:
    """Do what leads to a request that does not arrive, and wait until the browser knows."""
    with page.expect_event("requestfailed"):
        act()


def test_what_is_announced_offline_comes_in_once_the_visitor_is_back(
    browser: Browser, tmp_path: Path
) -> None:
    port = free_port()
    with shop_site(port) as shop, running(settings_for(tmp_path, shop, port), signals=SIGNALS):
        with visited(browser, shop) as page:
            comes(tmp_path, shop, ("page.viewed", "/one"))
            page.context.set_offline(True)
            fails(page, lambda: page.evaluate("""oyez("basket.filled", {items: 1}); oyez.flush()"""))
            page.evaluate("""oyez("basket.filled", {items: 2})""")
            assert told(tmp_path, shop) == [("page.viewed", "/one")]
            page.context.set_offline(False)
            comes(tmp_path, shop, ("basket.filled", "1"), ("basket.filled", "2"))
        assert len([one for one in told(tmp_path, shop) if one[0] == "basket.filled"]) == 2


def test_what_waits_is_not_lost_where_the_page_shows_another_address(
    browser: Browser, tmp_path: Path
) -> None:
    """The answer to a beacon is heard by nobody: it is for pages that end."""
    port = free_port()
    with (
        shop_site(port) as shop,
        running(settings_for(tmp_path, shop, port), signals=SIGNALS),
        visited(browser, shop) as page,
    ):
        comes(tmp_path, shop, ("page.viewed", "/one"))
        page.context.set_offline(True)
        fails(page, lambda: page.evaluate("""oyez("basket.filled", {items: 1}); oyez.flush()"""))
        page.evaluate("""history.pushState(null, "", "/two")""")
        page.wait_for_function("location.pathname === '/two'")
        page.evaluate("new Promise((done) => setTimeout(done, 0))")  # the script has seen it, too
        page.context.set_offline(False)
        comes(tmp_path, shop, ("basket.filled", "1"), ("page.left", "/one"), ("page.viewed", "/two"))


def test_one_that_is_large_does_not_hold_up_the_others(browser: Browser, tmp_path: Path) -> None:
    """More than a browser keeps alive beyond the page, and more than the collector takes at once."""
    port = free_port()
    with shop_site(port) as shop:
        settings = settings_for(tmp_path, shop, port, collect_max_body=100_000)
        with running(settings, signals=SIGNALS), visited(browser, shop) as page:
            comes(tmp_path, shop, ("page.viewed", "/one"))
            page.evaluate("""oyez("page.viewed", {url: "/large", title: "x".repeat(70000), referrer: ""})""")
            page.evaluate("""oyez("basket.filled", {items: 2})""")
            comes(tmp_path, shop, ("page.viewed", "/large"), ("basket.filled", "2"))
            page.evaluate("""oyez("page.viewed", {url: "/huge", title: "x".repeat(200000), referrer: ""})""")
            page.evaluate("""oyez("basket.filled", {items: 4})""")
            comes(tmp_path, shop, ("basket.filled", "4"))
        assert ("page.viewed", "/huge") not in told(tmp_path, shop)


def test_what_is_too_much_at_once_comes_in_parts(browser: Browser, tmp_path: Path) -> None:
    port = free_port()
    with shop_site(port) as shop:
        settings = settings_for(tmp_path, shop, port, collect_max_events=4)
        with running(settings, signals=SIGNALS), visited(browser, shop) as page:
            comes(tmp_path, shop, ("page.viewed", "/one"))
            page.evaluate("for (let n = 1; n < 31; n++) oyez('basket.filled', {items: n})")
            comes(tmp_path, shop, *(("basket.filled", f"{n}") for n in range(1, 31)))


def test_what_is_announced_while_the_collector_is_away_comes_in_later(
    browser: Browser, tmp_path: Path
) -> None:
    port = free_port()
    with shop_site(port) as shop:
        settings = settings_for(tmp_path, shop, port)
        with running(settings, signals=SIGNALS):
            page = browser.new_context().new_page()
            page.goto(f"{shop.address}/one")
            comes(tmp_path, shop, ("page.viewed", "/one"))
        fails(page, lambda: page.evaluate("""oyez("basket.filled", {items: 1}); oyez.flush()"""))
        page.evaluate("""oyez("basket.filled", {items: 2})""")
        with running(settings, signals=SIGNALS):
            comes(tmp_path, shop, ("basket.filled", "1"), ("basket.filled", "2"))
            page.context.close()
        filled = sorted(one for one in told(tmp_path, shop) if one[0] == "basket.filled")
        assert filled == [("basket.filled", "1"), ("basket.filled", "2")]


ASKS = """window.asked = [];
    window.fetch = () => new Promise((answer) => asked.push(answer))"""
BUSY = """asked[0](new Response("", {status: 503, headers: {"Retry-After": "60"}}))"""


def test_a_busy_collector_says_when_also_of_what_was_announced_meanwhile(
    browser: Browser, tmp_path: Path
) -> None:
    port = free_port()
    with (
        shop_site(port) as shop,
        running(settings_for(tmp_path, shop, port), signals=SIGNALS),
        closing(browser.new_context()) as context,
    ):
        page = context.new_page()
        page.add_init_script(ASKS)
        page.clock.install()
        page.goto(f"{shop.address}/one")
        page.clock.run_for(1000)
        assert page.evaluate("asked.length") == 1
        page.evaluate("""oyez("basket.filled", {items: 1})""")
        page.evaluate(BUSY)
        page.clock.run_for(59_000)
        assert page.evaluate("asked.length") == 1, "it was told to wait"
        page.clock.run_for(1000)
        assert page.evaluate("asked.length") == 2
