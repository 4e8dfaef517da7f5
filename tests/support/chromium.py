"""A real Chromium without a screen, from Debian's package."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.debian import unpacked

PROGRAM = "usr/lib/chromium/chromium-headless-shell"


@contextmanager
def browsing(address: str, folder: Path) -> Iterator[Path]:
    """A browser that has opened a page, until the end of the block; `folder` becomes its profile. What it says is in
    the file that is given."""
    package = unpacked("chromium-headless-shell")
    options = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-port=0"]
    folder.mkdir()
    log = folder / "log"
    with log.open("wb") as said:
        process = subprocess.Popen(
            [package.file(PROGRAM), *options, f"--user-data-dir={folder}", address],
            env={**os.environ, **package.environment, "HOME": str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
        )
    try:
        yield log
    except BaseException:
        print(log.read_text(errors="replace")[-4000:])
        raise
    finally:
        process.terminate()
        process.wait(60)
