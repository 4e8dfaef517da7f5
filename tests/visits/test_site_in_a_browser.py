"""`visits site` in a real Chromium: what visitors do is in the report, by way of files and of Kafka."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page

from support.chromium import chromium
from support.visits_site import reported, running_site

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(params=["files", "kafka"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[httpx.Client]:
    options = ("--kafka", request.getfixturevalue("kafka")) if request.param == "kafka" else ()
    with running_site(tmp_path, *options) as client:
        yield client


def visit(page: Page, address: str) -> None:
    """A visitor consents, reads two pages, likes one, goes elsewhere, comes back, and closes the page."""
    page.goto(address)
    page.get_by_role("button", name="Yes").click()
    page.get_by_role("link", name="Cordouan").click()
    page.get_by_role("button", name="I like this page").click()
    page.get_by_role("status").get_by_text("Thank you.").wait_for()
    page.evaluate("addEventListener('click', (event) => event.preventDefault())")  # it is out of reach
    page.get_by_role("link", name="More of it").click()
    page.goto(f"{address}/eddystone")
    page.close(run_before_unload=True)


def test_a_visit_is_in_the_report(browser: Browser, site: httpx.Client) -> None:
    address = str(site.base_url).rstrip("/")
    said: list[str] = []
    with browser.new_context(user_agent="Mozilla/5.0 Firefox/140.0") as context:
        page = context.new_page()
        page.on("console", lambda one: said.append(one.text))
        visit(page, address)
        report = reported(site, lambda now: len(now["pages"]) == 3 and _left(now, "/eddystone"))
        page = context.new_page()
        page.goto(f"{address}/report")
        assert page.get_by_role("row").count() == 4  # the head is one
    assert said == []
    pages = {one["path"]: (one["views"], one["likes"]) for one in report["pages"]}
    assert pages == {"/": (1, 0), "/cordouan": (1, 1), "/eddystone": (1, 0)}
    assert (report["visits"], report["without_visit"], report["bots"]) == (1, 0, 0)
    assert report["links"] == {"https://en.wikipedia.org/wiki/Cordouan_Lighthouse": 1}


def test_who_has_no_scripts_is_counted_too(browser: Browser, tmp_path: Path) -> None:
    with running_site(tmp_path) as client:
        with browser.new_context(java_script_enabled=False) as context:
            page = context.new_page()
            page.goto(f"{client.base_url!s}/pharos".replace("//pharos", "/pharos"))
        said = reported(client, lambda report: report["views"] == 1)
        assert said["pages"][0]["path"] == "/pharos"


def _left(report: dict[str, object], path: str) -> bool:
    pages = report["pages"]
    assert isinstance(pages, list)
    return any(one["path"] == path and one["seconds"] is not None for one in pages)
