"""The documentation site's navigation, links and generated pages, without building it: test_site_built.py does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from pymdownx.slugs import slugify

from docs_site.generated import GENERATED
from docs_site.links import cells_without_backslashes, without_links_outside
from docs_site.llms import address, llms, pages_of
from docs_site.metrics_page import declared
from docs_site.settings_page import settings_page
from oyez.producers.settings_names import OUTSIDE, classes_of_all
from support.scraping import documented

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
CONFIG = yaml.safe_load((ROOT / "mkdocs.yml").read_text())
WRITTEN = [
    *sorted(DOCS.rglob("*.md")),
    *(ROOT / f"{name}.md" for name in ("README", "ARCHITECTURE", "CONTRIBUTING")),
]
DECISION = re.compile(r"decisions/\d")
slug = slugify(case="lower")


def in_docs() -> dict[str, str]:
    """The text of every page that the navigation has to name."""
    pages = {str(page.relative_to(DOCS)): page.read_text() for page in DOCS.rglob("*.md")}
    return {name: text for name, text in pages.items() if not DECISION.match(name)}


def anchors(text: str) -> set[str]:
    """Those of a page's headings; a heading that comes again has a number."""
    found: dict[str, int] = {}
    plain = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    for heading in re.findall(r"^#+ (.+)$", plain, re.MULTILINE):
        said = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "")
        name = slug(said.strip(), "-")
        found[name] = found.get(name, -1) + 1
    return {f"{name}-{n}" if n else name for name, last in found.items() for n in range(last + 1)}


def links(page: Path) -> Iterator[tuple[Path, str]]:
    """What a page links to: the file, and the anchor in it."""
    text = re.sub(r"^```.*?^```|`[^`\n]*`", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", text):
        name, _, anchor = target.partition("#")
        yield (page.parent / name).resolve() if name else page, anchor


def test_the_navigation_names_each_page_once() -> None:
    named = [page for _, page in pages_of(CONFIG["nav"])]
    assert sorted(named) == sorted([*in_docs(), *GENERATED])


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_a_file_and_to_a_heading_of_it(page: Path) -> None:
    for file, anchor in links(page):
        assert file.exists(), f"{page.name} links to {file}"
        if anchor and file.suffix == ".md":
            assert anchor in anchors(file.read_text()), f"{page.name} links to {file.name}#{anchor}"


def test_nothing_is_asked_of_other_hosts() -> None:
    assert CONFIG["theme"]["font"] is False
    assert not {"extra_javascript", "extra_css"} & CONFIG.keys()


def test_llms_txt_names_every_page_with_what_it_is() -> None:
    texts = {**in_docs(), **dict.fromkeys(GENERATED, "# Made\n\nIt is made. And more.")}
    text = llms(CONFIG["nav"], texts)
    assert re.match(
        r"# Oyez\n\n> .+\n\n## Home\n\n- \[Home\]\(index\.html\): Oyez is an event pipeline ", text
    )
    assert set(re.findall(r"^- \[.+?\]\((.+?)\): \S.*$", text, re.MULTILINE)) == {
        address(page) for page in texts
    }


def test_every_setting_is_on_the_page_with_a_meaning() -> None:
    rows = re.findall(r"^\| `(OYEZ_\w+)` \| `(\w+)` \| `.+` \|.*\| (.*) \|$", settings_page(), re.MULTILINE)
    names = {OUTSIDE.get(name, name) for kind in classes_of_all() for name in kind.model_fields}
    assert sorted(name for _, name, _ in rows) == sorted(names)
    assert [variable for variable, _, meaning in rows if not meaning.strip()] == []


def test_the_declared_metrics_are_those_of_the_written_page() -> None:
    made = {(one.name, one.type, frozenset(one.labels) - {"group"}) for one in declared()}
    assert made == documented("metrics")


def test_a_link_to_what_the_site_has_not_says_where_it_is() -> None:
    text = "[a](../deploy/x.conf), [c](../ARCHITECTURE.md#the-rooms), [b](spool.md#x), [`deploy/`](../deploy)"
    assert without_links_outside(text, "deploying.md") == (
        "a (`deploy/x.conf` in the repository), [c](project/architecture.md#the-rooms), [b](spool.md#x), `deploy/`"
    )


def test_a_bar_in_the_code_of_a_table_needs_no_backslash() -> None:
    assert cells_without_backslashes("| `a\\|b` | c \\| d |\n`a\\|b`") == "| `a|b` | c \\| d |\n`a\\|b`"
