"""The applications that guides begin with are loaded as they are written."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.pages import ROOT, block, run_commands, written

DOCS = ROOT / "docs"


@pytest.mark.parametrize(
    ("page", "blocks", "handlers"),
    [
        (
            "handlers.md",
            ["shop.py", "two signals", "retry", "counting", "met"],
            [
                *("open_visit", "note_visit", "count_view", "note_source"),
                *("index_views", "note_order", "bill", "count"),
            ],
        ),
        ("concurrency.md", ["shop.py"], ["charge", "label"]),
        ("mail.md", ["shop.py"], ["thank"]),
    ],
)
def test_its_handlers_are_listed(page: str, blocks: list[str], handlers: list[str], tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text("\n\n".join(block(DOCS / page, name) for name in blocks))
    said = run_commands("OYEZ_APP=shop:on oyez handlers", tmp_path)
    assert [line.split("\t")[2] for line in said.splitlines()[1:]] == handlers


def test_handlers_in_several_modules(tmp_path: Path) -> None:
    """Those of a module that nothing imports are not there."""
    package = tmp_path / "shopx"
    package.mkdir()
    (package / "__init__.py").touch()
    written(DOCS / "handlers.md", tmp_path, "shopx/handlers.py", "shopx/orders.py", "shopx/app.py")
    said = run_commands(block(DOCS / "handlers.md", "shopx"), tmp_path)
    assert [line.split("\t")[2] for line in said.splitlines()[1:]] == ["send"]


def test_what_the_outbox_has_is_handled_and_what_handlers_announce_too(tmp_path: Path) -> None:
    page = DOCS / "outbox.md"
    written(page, tmp_path, "place.py")
    (tmp_path / "shop.py").write_text(block(page, "shop.py") + "\n\n" + block(page, "handlers"))
    said = run_commands(block(page, "commands") + "\noyez sweep\n", tmp_path)
    lines = said.splitlines()
    assert lines[1].startswith("1\t")
    groups = [line.split("\t")[:2] for line in lines if line.startswith("shop.")]
    assert groups == [["shop.order.placed", "1"], ["shop.stock.reserved", "1"]]


def test_data_is_taken_as_a_dict_and_as_json(tmp_path: Path) -> None:
    written(DOCS / "events.md", tmp_path, "paid.py")
    run_commands("python paid.py", tmp_path)
    (segment,) = (tmp_path / "spool").glob("*/*.ndjson")
    assert segment.read_text().count('"paid_on":"2024-05-01"') == 2
