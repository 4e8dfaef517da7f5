"""What the pages show can be copied: no command has a prompt before it, and Python's names are imported."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from support.pages import ROOT

FENCED = re.compile(r"^( *)```[^\n]*\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"(?:^|(?<=\n\n))(?: {4}[^\n]*\n)+")
PYTHON = re.compile(r"^( *)```python\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
PAGES = [ROOT / "README.md", *ROOT.glob("docs/*.md")]
YOURS = {
    "databases.md": {"context", "target_metadata"},
    "django.md": {"INSTALLED_APPS", "MIDDLEWARE", "DATABASES"},
    "metrics.md": {"announcer"},
}
"""What a page does not import or define: it is in the file of the reader's that the example is a part of."""
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


def undefined(texts: dict[str, str], folder: Path) -> dict[str, set[str]]:
    """By page the names that its examples in Python, one after the other, use and nobody has defined."""
    for name, text in texts.items():
        code = "\n".join(dedent(found[2]) for found in PYTHON.finditer(text))
        (folder / f"{name}.py").write_text(code.replace("(…, ", "("))
    ruff = [
        sys.executable,
        "-m",
        "ruff",
        "check",
        "--isolated",
        "--select",
        "F821",
        "--output-format",
        "json",
    ]
    done = subprocess.run([*ruff, folder], capture_output=True, text=True, timeout=60, check=False)
    found: dict[str, set[str]] = {}
    for one in json.loads(done.stdout):
        said = re.findall(r"`(\w+)`", one["message"]) if one["code"] == "F821" else [one["message"]]
        found.setdefault(Path(one["filename"]).stem, set()).update(said)
    return found


def test_what_examples_in_python_use_is_imported_or_defined_in_the_page(tmp_path: Path) -> None:
    assert undefined({page.name: page.read_text() for page in PAGES}, tmp_path) == YOURS


def test_a_name_that_is_not_imported_is_found(tmp_path: Path) -> None:
    text = "```python\nfrom a import b\n```\n\n1. So:\n\n    ```python\n    b(Event)\n    ```\n"
    assert undefined({"page.md": text}, tmp_path) == {"page.md": {"Event"}}
