"""The pages that stand beside docs in the repository, and in the site as well."""

from __future__ import annotations

import re
from pathlib import Path

HOME = Path(__file__).parents[2]
PAGES = {
    "README.md": "project/readme.md",
    "ARCHITECTURE.md": "project/architecture.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "CHANGELOG.md": "project/changelog.md",
}


def project_page(name: str) -> str:
    """The text of such a page, with links that hold one folder below docs."""
    return from_there((HOME / name).read_text())


def from_there(text: str) -> str:
    """Links that began at the top of the repository, as they begin one folder below docs."""
    text = re.sub(r"\]\(docs/", "](../", text)
    return re.sub(r"\]\((?!\.\./|https?:|#)([^)]+)\)", r"](../../\1)", text)
