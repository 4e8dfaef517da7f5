"""The style and the script: a file each, whose address changes with what is in it."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

FOLDER = Path(__file__).parent.with_name("static")
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@cache
def _content(name: str) -> bytes:
    return (FOLDER / name).read_bytes()


@cache
def address(name: str) -> str:
    """The address of a file within the dashboard."""
    return f"/static/{hashlib.sha256(_content(name)).hexdigest()[:16]}/{name}"


async def static(request: Request) -> Response:
    """Give out a file, to be kept. It has nothing of the application in it, so anybody may have it."""
    name = request.path_params["name"]
    if name not in {file.name for file in FOLDER.iterdir()} or Path(name).suffix not in TYPES:
        raise HTTPException(404, "there is no such file")
    headers = {"Cache-Control": "public, max-age=31536000, immutable"}
    return Response(_content(name), 200, headers, TYPES[Path(name).suffix])
