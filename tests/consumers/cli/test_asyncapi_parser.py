"""The AsyncAPI document as the official parser reads it, which needs node and npm."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from consumers.cli.running import Shop
from support.caching import alone, cache

PARSER = "@asyncapi/parser@3.6.6"
SCRIPT = Path(__file__).parents[2] / "support" / "asyncapi" / "parse.mjs"


@pytest.fixture(scope="session")
def parser() -> Path:
    """The folder of the parser's packages, installed once."""
    folder = cache("asyncapi-parser-3.6.6")
    with alone(folder):
        if not (folder / "done").exists():
            install = [
                "npm",
                "install",
                "--no-audit",
                "--no-fund",
                "--ignore-scripts",
                "--prefix",
                str(folder),
                PARSER,
            ]
            subprocess.run(install, check=True, timeout=300, stdout=subprocess.DEVNULL)
            (folder / "done").touch()
    return folder / "node_modules"


def test_the_official_parser_finds_nothing_wrong(spooled_shop: Shop, parser: Path) -> None:
    document = spooled_shop.print("signals", "--asyncapi")
    done = subprocess.run(
        ["node", str(SCRIPT), str(parser)],
        input=document,
        text=True,
        capture_output=True,
        timeout=120,
        check=True,
    )
    found = json.loads(done.stdout)
    assert [one for one in found["problems"] if "latest version" not in one] == []
    assert found["version"] == "3.0.0"
    assert sorted(found["messages"]) == sorted(json.loads(document)["components"]["messages"])
    assert "announce.cli.measured" in found["operations"]
    assert "handle.clishop.cli.ticked.oyez.events" in found["operations"]
