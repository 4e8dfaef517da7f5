"""The documentation site, built as `make docs` builds it. It takes a while: make test-long runs it."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from docs_site.llms import FILE
from oyez.consumers.cli.listing import COMMANDS, GROUPS

ROOT = Path(__file__).parent.parent
FOREIGN = re.compile(r'<(?:script|link|img|iframe)[^>]*(?:src|href)="?(https?:)?//[^>]*>')


@pytest.fixture(scope="module")
def site() -> Path:
    """The site's folder. A link or an anchor that leads nowhere ends the build."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    done = subprocess.run(
        ["make", "docs"], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return ROOT / "site"


@pytest.mark.timeout(1000)
def test_it_asks_nothing_of_other_hosts(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 200
    assert [(page.name, found[0]) for page in pages if (found := FOREIGN.search(page.read_text()))] == []


def test_llms_txt_leads_to_pages(site: Path) -> None:
    targets = re.findall(r"^- \[.+?\]\((.+?)\)", (site / FILE).read_text(), re.MULTILINE)
    assert len(targets) > 50
    assert [target for target in targets if not (site / target).is_file()] == []


def test_every_command_has_its_part(site: Path) -> None:
    names = {*COMMANDS, *(f"{group.name} {name}" for group in GROUPS for name in group.commands)}
    page = (site / "reference/commands.html").read_text()
    assert set(re.findall(r'<h2 id="[\w-]+"><code>oyez ([\w -]+)</code>', page)) == names


def test_public_names_have_their_texts(site: Path) -> None:
    page = (site / "reference/api.html").read_text()
    for name in ("oyez.schemas.Signal", "oyez.producers.Announcer", "oyez.consumers.Handlers"):
        assert f'id="{name}"' in page
    assert 'id="oyez.producers.Announcer.announce"' in page
