"""A real Chromium without a screen: Debian's package, driven by Playwright."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from support.debian import Unpacked, unpacked

PROGRAM = "usr/lib/chromium/chromium-headless-shell"
AGENT = "Mozilla/5.0 Firefox/140.0"
"""Of no bot. What a page sends while it goes does not always have the user agent of its context."""
OPTIONS = (
    f"--user-agent={AGENT}",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--font-render-hinting=none",
)
FONTS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig><dir>{fonts}</dir><cachedir>{folder}/cache</cachedir>
<alias><family>sans-serif</family><prefer><family>DejaVu Sans</family></prefer></alias>
<alias><family>system-ui</family><prefer><family>DejaVu Sans</family></prefer></alias>
<alias><family>monospace</family><prefer><family>DejaVu Sans Mono</family></prefer></alias></fontconfig>"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser until the end of the block. Its fonts are the same on every machine. Within the block, this thread runs
    no event loop of its own: Playwright's is there, and asyncio takes it for one that runs here."""
    package = unpacked("chromium-headless-shell", "fonts-dejavu-core")
    with tempfile.TemporaryDirectory(prefix="chromium-") as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=package.file(PROGRAM),
            env={**os.environ, **package.environment, "HOME": folder, **_fonts(package, Path(folder))},
            args=OPTIONS,
        )
        try:
            yield browser
        finally:
            browser.close()


def _fonts(package: Unpacked, folder: Path) -> dict[str, str]:
    config = folder / "fonts.conf"
    config.write_text(FONTS.format(fonts=package.folder / "usr/share/fonts", folder=folder))
    return {"FONTCONFIG_FILE": str(config)}
