"""Somebody who walks through the dashboard: every page that a link leads to."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

from playwright.sync_api import Page
from starlette.routing import compile_path

from oyez.consumers.dashboard.common.page import Form
from oyez.consumers.dashboard.common.page import Page as Shown
from oyez.consumers.dashboard.listing import PLACES

HREFS = "all => all.map((one) => new URL(one.getAttribute('href'), location).href)"  # drawings have links too
EACH = 2
"""Addresses of one page, at most: with and without what a link has chosen."""


BEHIND_A_FORM = ("/pauses/pause?name=bill",)
"""What no link leads to, but a form that is filled in."""
WHILE_SOMETHING_IS_DONE = {"/operations/{number}", "/operations/{number}/stop"}


def walked(page: Page, start: str) -> dict[str, int]:
    """The addresses that links lead to, from the first page on, with how much each has to say. Each answers well."""
    found: dict[str, int] = {}
    known = {f"{start}{path}" for path in ("/", *BEHIND_A_FORM)}
    waiting, seen = deque(sorted(known)), Counter[str]()
    while waiting:
        address = waiting.popleft()
        answer = page.goto(address)
        assert answer is not None
        assert answer.ok, f"{address}: {answer.status}: {page.inner_text('main')}"
        found[address] = len(page.inner_text("main"))
        links: list[str] = page.eval_on_selector_all("a[href]", HREFS)
        for link in (one.partition("#")[0] for one in links):
            path = place_of(urlsplit(link).path)
            if link.startswith(f"{start}/") and link not in known and seen[path] < EACH:
                known.add(link)
                seen[path] += 1
                waiting.append(link)
    return found


def place_of(path: str) -> str:
    """The pattern of the place that a path is of; the path itself, if there is none."""
    names = [place.path for place in PLACES]
    matching = [name for name in names if compile_path(name)[0].match(path)]
    return path if path in names or not matching else matching[0]


def missed(addresses: Collection[str]) -> set[str]:
    """The pages that are not among these, though something leads to them at any time."""
    seen = {place_of(urlsplit(one).path) for one in addresses}
    return {place.path for place in PLACES if isinstance(place, Shown)} - seen - WHILE_SOMETHING_IS_DONE


def one_of_each(addresses: Mapping[str, int]) -> list[str]:
    """One address of each page: the one that has most to say."""
    found = {place_of(urlsplit(one).path): one for one in sorted(addresses, key=addresses.__getitem__)}
    return list(found.values())


def actions(page: Page, addresses: Collection[str]) -> dict[str, tuple[str, str]]:
    """The forms that post on these pages: by the place that they are sent to, a page's path and the form's address."""
    found: dict[str, tuple[str, str]] = {}
    for address in addresses:
        page.goto(address)
        for action in page.eval_on_selector_all(POSTS, "all => all.map((one) => one.getAttribute('action'))"):
            said = urlsplit(address)
            found.setdefault(place_of(urlsplit(action).path), (f"{said.path}?{said.query}", action))
    return found


def acted(page: Page, address: str, action: str) -> str:
    """Send a form as it stands on a page, and confirm it where that is asked for; what the page says in the end."""
    page.goto(address)
    _send(page, action)
    if page.locator("input[name=confirmed]").count():
        _send(page, page.get_attribute(POSTS, "action") or "")
    said = page.inner_text("main")
    assert not page.locator(".problem").count(), f"{action}: {said}"
    assert "here is none" not in said, f"{action}: there was nothing to do"
    return said


def _send(page: Page, action: str) -> None:
    with page.expect_navigation():
        page.locator(f"form[method=post][action='{action}'] button").first.click()


POSTS = "main form[method=post]"
FORMS = {place.path for place in PLACES if isinstance(place, Form)} - WHILE_SOMETHING_IS_DONE
