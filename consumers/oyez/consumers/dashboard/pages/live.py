"""`/live`: a word to pages that are open, when something has changed."""

from __future__ import annotations

from starlette.responses import Response

from ..common.asked import Asked
from ..common.page import Stream
from ..live.stream import stream


async def _answer(asked: Asked) -> Response:
    if asked.request.method == "HEAD":
        return Response(media_type="text/event-stream")  # nobody listens
    return await stream(asked.board.changes)


PAGE = Stream("/live", _answer)
