"""The dashboard in a real Chromium: each action without JavaScript, everything with a keyboard, every look."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from consumers.dashboard.lived_in import copied_and_shown, lived_in_and_shown, lived_in_file
from consumers.dashboard.walking import FORMS, acted, actions, one_of_each, walked
from support.axe import violations
from support.chromium import chromium

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
FOCUSED = """() => {
    const one = document.activeElement, style = getComputedStyle(one);
    return [one.outerHTML.slice(0, 200), style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0,
            one.getBoundingClientRect().width > 0];
}"""
FOCUSABLE = """() => [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")]
    .filter((one) => !one.hidden && one.type !== "hidden" && !one.disabled && one.checkVisibility()).length"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    with lived_in_and_shown(tmp_path) as found:
        yield found


def test_each_action_without_javascript(browser: Browser, tmp_path: Path) -> None:
    """Each is done to a shop of its own: there is something to do it with."""
    file = lived_in_file(tmp_path)
    said = {}
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        with copied_and_shown(file) as address:
            found = actions(page, walked(page, address))
        for place, (path, action) in found.items():
            with copied_and_shown(file) as address:
                said[place] = acted(page, f"{address}{path}", action)
    assert said.keys() == FORMS
    assert "3 mails held" in said["/mail/hold"]


def test_what_takes_long_is_watched_and_stopped_without_javascript(browser: Browser, address: str) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{address}/parked/release?handler=pack")
        page.get_by_label("rate").fill("1/min")
        page.get_by_role("button", name="Release").click()
        page.get_by_text("under way").wait_for()
        assert violations(browser, [page.url]) == []
        page.get_by_role("button", name="Stop it").click()
        page.get_by_role("status").wait_for()
        assert "stop" in page.get_by_role("status").inner_text()


def test_everything_can_be_reached_with_a_keyboard(browser: Browser, address: str) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        for found in one_of_each(walked(page, address)):
            page.goto(found)
            reached = list(tabbed(page))
            assert "Skip to the content" in reached[0]
            assert len(reached) == page.evaluate(FOCUSABLE), found


def test_the_keyboard_alone_finds_an_event(browser: Browser, address: str) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{address}/parked")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
        found = page.locator("tbody td.id a").first
        wanted = found.inner_text()
        while page.evaluate("document.activeElement.textContent") != wanted:
            page.keyboard.press("Tab")
        with page.expect_navigation():
            page.keyboard.press("Enter")
        assert wanted in page.inner_text("main")


def test_axe_finds_nothing_in_any_look(browser: Browser, address: str) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        found = walked(context.new_page(), address)
    assert violations(browser, one_of_each(found)) == []


def tabbed(page: Page, most: int = 600) -> Iterator[str]:
    """What the tab key reaches, until the end of the page; each is seen to have the focus."""
    for _ in range(most):
        page.keyboard.press("Tab")
        html, has_outline, is_there = page.evaluate(FOCUSED)
        if html.startswith("<body"):
            return
        assert has_outline, f"{page.url}: nobody sees that this has the focus: {html}"
        assert is_there, f"{page.url}: {html}"
        yield html
    raise AssertionError(f"{page.url}: the tab key comes to no end")
