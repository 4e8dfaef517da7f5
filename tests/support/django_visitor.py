"""A visitor with a browser: cookies are kept, and Django's token goes with each form."""

from __future__ import annotations

from typing import Any

import httpx


class Visitor:
    """Somebody at a page of a server of this machine."""

    def __init__(self, port: int, front: str) -> None:
        """``front`` is the page that gives the cookies."""
        self._http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60)
        self._http.get(front).raise_for_status()

    def post(self, path: str, **form: str) -> httpx.Response:
        """Send a form."""
        return self._http.post(path, data=form, headers={"X-CSRFToken": self._http.cookies["csrftoken"]})

    def get(self, path: str) -> Any:
        """What a page says."""
        return self._http.get(path).raise_for_status().json()

    def close(self) -> None:
        self._http.close()
