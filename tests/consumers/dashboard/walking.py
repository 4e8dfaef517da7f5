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

EACH = 2
"""Addresses of one page, at most: with and without what a link has chosen."""


def walked(page: Page, start: str) -> dict[str, int]:
    """The addresses that links lead to, from the first page on, with how much each has to say. Each answers well."""
    found: dict[str, int] = {}
    waiting, seen = deque([f"{start}/"]), Counter[str]()
    known = {f"{start}/"}
    while waiting:
        address = waiting.popleft()
        answer = page.goto(address)
        assert answer is not None
        assert answer.ok, f"{address}: {answer.status}: {page.inner_text('main')}"
        found[address] = len(page.inner_text("main"))
        links: list[str] = page.eval_on_selector_all("a[href]", "all => all.map((one) => one.href)")
        for link in (one.partition("#")[0] for one in links):
            path = place_of(urlsplit(link).path)
            if link.startswith(f"{start}/") and link not in known and seen[path] < EACH:
                known.add(link)
                seen[path] += 1
                waiting.append(link)
    return found


def place_of(path: str) -> str:
    """The pattern of the place that a path is of; the path itself, if there is none."""
    for place in PLACES:
        if compile_path(place.path)[0].match(path):
            return place.path
    return path


def missed(addresses: Collection[str]) -> set[str]:
    """The pages that are not among these."""
    seen = {place_of(urlsplit(one).path) for one in addresses}
    return {place.path for place in PLACES if isinstance(place, Shown)} - seen


def one_of_each(addresses: Mapping[str, int]) -> list[str]:
    """One address of each page: the one that has most to say."""
    found = {place_of(urlsplit(one).path): one for one in sorted(addresses, key=addresses.__getitem__)}
    return list(found.values())


FORMS = [place for place in PLACES if isinstance(place, Form)]
