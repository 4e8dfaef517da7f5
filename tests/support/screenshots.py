"""`make screenshots`: each page of the dashboard for docs/images, light at a desk and dark on a phone, and the reverse.

python -m support.screenshots
"""

from __future__ import annotations

import io
import os
import re
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from PIL import Image
from playwright.sync_api import Page

from consumers.dashboard.lived_in import lived_in_and_shown
from consumers.dashboard.walking import one_of_each, place_of, walked
from support.axe import ALL, page_as
from support.chromium import chromium
from support.pages import ROOT

FOLDER = ROOT / "docs/images"
MOST = 100_000  # bytes of a picture
COLOURS = 48
TALLEST = 1_600  # pixels


def main() -> int:
    """0; 1 if a picture is too large."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)  # the pages show where the database is
        with lived_in_and_shown(Path(folder)) as address, chromium() as browser:
            with browser.new_context(java_script_enabled=False) as context:
                pages = one_of_each(walked(context.new_page(), address))
            for old in FOLDER.glob("dashboard-*.png"):
                old.unlink()
            for size, scheme in ALL:
                with page_as(browser, size, scheme) as page:
                    for found in pages:
                        page.goto(found)
                        (FOLDER / f"{_name(found)}-{size}-{scheme}.png").write_bytes(_picture(page))
    large = [one.name for one in FOLDER.glob("dashboard-*.png") if one.stat().st_size > MOST]
    print(
        f"{len(list(FOLDER.glob('dashboard-*.png')))} pictures in docs/images; too large: {large or 'none'}"
    )
    return 1 if large else 0


def _name(address: str) -> str:
    path = re.sub(r"[^a-z]+", "-", place_of(urlsplit(address).path)).strip("-")
    return f"dashboard-{path or 'overview'}"


def _picture(page: Page) -> bytes:
    """With few colours: it has no photographs."""
    height = min(TALLEST, int(page.evaluate("document.documentElement.scrollHeight")))
    width = page.viewport_size["width"] if page.viewport_size else 1280
    taken = page.screenshot(full_page=True, clip={"x": 0, "y": 0, "width": width, "height": height})
    made = io.BytesIO()
    with Image.open(io.BytesIO(taken)) as image:
        image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(made, "PNG", optimize=True)
    return made.getvalue()


if __name__ == "__main__":
    sys.exit(main())
