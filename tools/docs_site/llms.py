"""`llms.txt`: the list of all pages, for language models, in the format of llmstxt.org."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

FILE = "llms.txt"
HEAD = """# Oyez

> An event pipeline for Python applications on many servers: announce over Kafka or into files, listen in \
exactly-once handlers, wait for prerequisites in a table of your own database.

"""


def llms(nav: Sequence[Any], texts: Mapping[str, str]) -> str:
    """The file: a part for each part of the navigation, a line for each page with the first sentence of it."""
    return HEAD + "\n".join(_part(title, below, texts) for title, below in _parts(nav))


def pages_of(nav: Any) -> Iterator[tuple[str, str]]:
    """The title and the path of each page of a navigation, or of a part of it."""
    for item in nav if isinstance(nav, list) else [nav]:
        if isinstance(item, str):
            yield "", item
            continue
        for title, below in item.items():
            if isinstance(below, str):
                yield title, below
            else:
                yield from pages_of(below)


def _parts(nav: Sequence[Any]) -> Iterator[tuple[str, Any]]:
    for item in nav:
        for title, below in item.items():
            yield title, [item] if isinstance(below, str) else below


def _part(title: str, below: Any, texts: Mapping[str, str]) -> str:
    lines = [_line(name, page, texts[page]) for name, page in pages_of(below)]
    return f"## {title}\n\n" + "".join(lines)


def _line(name: str, page: str, text: str) -> str:
    said = first_sentence(text)
    return f"- [{name}]({address(page)}){f': {said}' if said else ''}\n"


def address(page: str) -> str:
    """Where the site has a page, from its root."""
    return re.sub(r"README$", "index", page.removesuffix(".md")) + ".html"


def first_sentence(text: str) -> str:
    """The first sentence of a page that is prose, without its links."""
    body = re.sub(r"```.*?```|<!--.*?-->", "", text, flags=re.DOTALL)
    for block in re.split(r"\n\s*\n", body):
        plain = " ".join(block.split())
        if plain and plain[0] not in "#|-!:>":
            plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", plain)
            return re.split(r"(?<=[.?])\s", plain)[0].removesuffix(":")
    return ""
