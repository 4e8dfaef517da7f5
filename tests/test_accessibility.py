"""axe finds nothing on any page, in a real Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from consumers.dashboard.lived_in import lived_in_and_shown
from consumers.dashboard.walking import missed, one_of_each, walked
from support.axe import TWO, violations, violations_dealt
from support.chromium import chromium
from support.visits_site import running_site

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


def test_the_visits_site(browser: Browser, tmp_path: Path) -> None:
    with running_site(tmp_path, "--collector", "http://127.0.0.1:1") as client:
        address = str(client.base_url).rstrip("/")
        assert violations_dealt(browser, [f"{address}{path}" for path in ("/", "/pharos", "/report")]) == []


def test_every_page_of_the_dashboard(browser: Browser, tmp_path: Path) -> None:
    with lived_in_and_shown(tmp_path) as address:
        with browser.new_context(java_script_enabled=False) as context:
            found = walked(context.new_page(), address)
        assert missed(found) == set()
        assert violations_dealt(browser, one_of_each(found)) == []


def test_what_is_wrong_is_found(browser: Browser, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.html"
    wrong.write_text(
        "<!doctype html><title>a</title><main><h1>a</h1><img src=x><p style='width:3000px'>a</main>"
    )
    found = violations(browser, [wrong.as_uri()], TWO[:1])
    assert [one.partition(": ")[2].partition(":")[0] for one in found] == [
        "html-has-lang",
        "image-alt",
        "is wider than its window",
    ]
