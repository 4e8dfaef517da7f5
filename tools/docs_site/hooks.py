"""What mkdocs calls while it builds the site: it adds the pages that are made of the code, and mends links."""

from __future__ import annotations

from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from pymdownx.slugs import slugify

from docs_site.generated import GENERATED
from docs_site.links import cells_without_backslashes, without_links_outside
from docs_site.llms import FILE, llms


def on_config(config: MkDocsConfig, **_: Any) -> MkDocsConfig:
    """Headings have the anchors that they have where the repository is shown."""
    config.mdx_configs.setdefault("toc", {})["slugify"] = slugify(case="lower")
    return config


def on_files(files: Files, config: MkDocsConfig, **_: Any) -> Files:
    """Add what is made of the code, and the list of pages for language models."""
    for name, made in GENERATED.items():
        files.append(File.generated(config, name, content=made()))
    files.append(File.generated(config, FILE, content=llms(config.nav or [], _text(files))))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """What reads well where the repository is shown, as the site needs it."""
    return cells_without_backslashes(without_links_outside(markdown, page.file.src_uri))


def _text(files: Files) -> dict[str, str]:
    return {file.src_uri: file.content_string for file in files.documentation_pages()}
