"""axe finds nothing on any page, in a real Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from support.axe import violations
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
        assert violations(browser, [f"{address}{path}" for path in ("/", "/pharos", "/report")]) == []
