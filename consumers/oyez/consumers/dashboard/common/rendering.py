"""How pages are written: all that is not a template's own is escaped."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse

from oyez.producers.passwords import without_passwords

from ...cli.common.output import iso, relative, span
from ...core.counted import measured
from ...core.printable import printable
from .asked import Asked
from .page import Page
from .static import address

TEMPLATES = Path(__file__).parent.with_name("templates")
NOTHING = "-"


class Rendering:
    """Writes pages by templates. ``pages`` are those of the navigation; ``clock`` gives seconds since the epoch."""

    def __init__(self, pages: Sequence[Page], clock: Callable[[], float]) -> None:
        self._clock = clock
        self._navigation = [page for page in pages if page.navigation]
        self._templates = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            finalize=self._finalized,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._templates.filters |= {**FILTERS, "ago": self._ago}

    def page(
        self, asked: Asked, template: str, title: str, said: Mapping[str, object], *, is_live: bool
    ) -> HTMLResponse:
        """A page of the dashboard. ``is_live``: it is fetched again when something has changed."""
        given = {"asked": asked, "link": asked.link, "title": title, "path": _path(asked), "is_live": is_live}
        return self._written(template, {**given, "navigation": self._navigation, **said}, 200)

    def problem(self, root: str, line: str, status: int, headers: Mapping[str, str]) -> HTMLResponse:
        """A page that says in one line what is wrong; it tells nothing of the application."""
        given = {"root": root, "line": without_passwords(line), "status": status}
        response = self._written("problem.html", given, status)
        response.headers.update(headers)
        return response

    def _written(self, template: str, said: Mapping[str, Any], status: int) -> HTMLResponse:
        text = self._templates.get_template(template).render({**said, "static": address})
        return HTMLResponse(text.encode(errors="replace"), status)

    def _finalized(self, value: object) -> object:
        """Each value as it is written: nothing as a dash, a text without characters that do not show, or turn it
        around."""
        if value is None:
            return NOTHING
        if isinstance(value, Markup):
            return value
        if isinstance(value, datetime):
            return self._ago(value)
        return printable(value) if isinstance(value, str) else value

    def _ago(self, moment: datetime | None) -> Markup | str:
        """A time by its distance from now; the exact one is in the title."""
        if moment is None:
            return NOTHING
        exact, near = iso(moment), relative(moment.timestamp() - self._clock())
        return Markup('<time datetime="{}" title="{}">{}</time>').format(exact, exact, near)  # escaped


def lines(text: str) -> Markup:
    """A text of several lines, as they are."""
    return Markup("\n").join(escape(printable(line)) for line in text.split("\n"))  # escaped


def brief(text: str | None, most: int = 120) -> str | None:
    """The first line of an error, without passwords, and not more than so many letters of it."""
    if text is None:
        return None
    line = without_passwords(text.partition("\n")[0])
    return line if len(line) <= most else f"{line[: most - 1]}…"


def _span(seconds: float | None) -> str | None:
    return None if seconds is None else span(seconds)


FILTERS: Mapping[str, Callable[..., object]] = {
    "span": _span,
    "lines": lines,
    "brief": brief,
    "masked": without_passwords,
    "measured": measured,
    "as_it_is": escape,
}


def _path(asked: Asked) -> str:
    """The path within the dashboard."""
    scope = asked.request.scope
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", "")) or "/"
