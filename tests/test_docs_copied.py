"""What the pages show can be copied: no command has a prompt before it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from support.pages import ROOT

FENCED = re.compile(r"^( *)```[^\n]*\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"(?:^|(?<=\n\n))(?: {4}[^\n]*\n)+")
PROMPT = re.compile(r"^\s*\$ ", re.MULTILINE)


def shown(text: str) -> Iterator[str]:
    """The blocks of a page: between fences, and those that are indented."""
    yield from (found[2] for found in FENCED.finditer(text))
    yield from INDENTED.findall(FENCED.sub("", text))


def prompted(text: str) -> list[str]:
    """The blocks that a shell would not take for their prompts."""
    return [one for one in shown(text) if PROMPT.search(one)]


def test_no_command_has_a_prompt() -> None:
    pages = [ROOT / "README.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/README.md")]
    found = {page.name: prompted(page.read_text()) for page in pages}
    assert {name: blocks for name, blocks in found.items() if blocks} == {}


@pytest.mark.parametrize(
    "text", ["```sh\n$ oyez status\n```\n", "Say:\n\n    $ oyez status\n    $ oyez sweep\n\nThen:\n"]
)
def test_one_with_a_prompt_is_found(text: str) -> None:
    assert len(prompted(text)) == 1
