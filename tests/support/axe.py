"""What axe finds on a page, as a visitor with a phone or at a desk sees it, in light and dark."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

SIZES: Mapping[str, Mapping[str, int]] = {
    "desk": {"width": 1280, "height": 800},
    "phone": {"width": 390, "height": 844},
}
SCHEMES = ("light", "dark")
Look = tuple[str, str]
ALL: Sequence[Look] = [(size, scheme) for size in SIZES for scheme in SCHEMES]
TWO: Sequence[Look] = [("desk", "light"), ("phone", "dark")]


@contextmanager
def page_as(browser: Browser, size: str, scheme: Any, **more: Any) -> Iterator[Page]:
    """A new visitor's page."""
    with browser.new_context(viewport=SIZES[size], color_scheme=scheme, **more) as context:  # type: ignore[arg-type]
        yield context.new_page()


def violations_dealt(browser: Browser, addresses: Sequence[str]) -> list[str]:
    """The same in half the time: every other page at a desk in light, the others on a phone in dark."""
    return violations(browser, addresses[::2], TWO[:1]) + violations(browser, addresses[1::2], TWO[1:])


def violations(browser: Browser, addresses: Sequence[str], looks: Sequence[Look] = ALL) -> list[str]:
    """What axe finds on these pages, at each size with its scheme: a line each."""
    axe = Axe()
    found = []
    for size, scheme in looks:
        with page_as(browser, size, scheme) as page:
            for address in addresses:
                answer = page.goto(address)
                assert answer is not None
                assert answer.ok, f"{address}: {answer.status}"
                where = f"{address} ({size}, {scheme})"
                found += [f"{where}: {one}" for one in _violations(axe, page)]
                found += [f"{where}: is wider than its window"] if _is_wide(page) else []
    return found


def _violations(axe: Axe, page: Page) -> Iterator[str]:
    for one in axe.run(page).response["violations"]:
        for node in one["nodes"]:
            why = " ".join(str(node["failureSummary"]).split())
            yield f"{one['id']}: {node['html'][:120]}: {why[:200]}"


def _is_wide(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))
