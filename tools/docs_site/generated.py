"""The pages that no file below docs holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from docs_site.api_page import api_page
from docs_site.commands_page import commands_page
from docs_site.metrics_page import metrics_page
from docs_site.project_pages import PAGES, project_page
from docs_site.settings_page import settings_page

GENERATED: Mapping[str, Callable[[], str]] = {
    "reference/settings.md": settings_page,
    "reference/commands.md": commands_page,
    "reference/metrics.md": metrics_page,
    "reference/api.md": api_page,
    **{page: partial(project_page, name) for name, page in PAGES.items()},
}
"""By path below docs, what makes the text of each page when the site is built."""
