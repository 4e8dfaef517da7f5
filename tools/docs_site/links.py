"""Markdown as the repository shows it, made into what the site needs."""

from __future__ import annotations

import posixpath
import re

from docs_site.project_pages import PAGES

LINK = re.compile(r"(?<!!)\[([^\]]*)\]\((?!https?:|#)([^)#]+)(#[^)]*)?\)")
CODE = re.compile(r"`[^`\n]+`")


def without_links_outside(markdown: str, page: str) -> str:
    """Links to what is not below docs: those to pages that the site has lead there; of the others the path is said.
    ``page`` is the path of the page below docs."""

    def mended(found: re.Match[str]) -> str:
        text, target, anchor = found[1], found[2], found[3] or ""
        path = posixpath.normpath(posixpath.join("docs", posixpath.dirname(page), target))
        if path.startswith("docs/"):
            return found[0]
        if path in PAGES:
            there = posixpath.relpath(PAGES[path], posixpath.dirname(page) or ".")
            return f"[{text}]({there}{anchor})"
        return text if path in text.replace("`", "") else f"{text} (`{path}` in the repository)"

    return LINK.sub(mended, markdown)


def cells_without_backslashes(markdown: str) -> str:
    """In a table's code, `|` needs a backslash where the repository is shown; the site would print it."""
    return "\n".join(_cells(line) if line.startswith("|") else line for line in markdown.split("\n"))


def _cells(line: str) -> str:
    return CODE.sub(lambda found: found[0].replace("\\|", "|"), line)
