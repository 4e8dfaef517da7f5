"""The shop's pages: they announce what a visitor does, and show what the handlers have made of it."""

from typing import Annotated, Any
from uuid import uuid4

from fastapi import Cookie, FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse

from oyez.producers import NotAnnounced, Undelivered
from oyez.producers.fastapi import AnnouncerDep, AnnouncerInThreadsDep, announcing
from oyez.producers.web import SessionMiddleware, cookie

from .baskets import in_basket, opened
from .signals import BasketChanged

PRICES = {"tea": 450, "cup": 1200, "pot": 3900}

app = FastAPI(lifespan=announcing())
app.add_middleware(SessionMiddleware, key=cookie("visitor"))
engine = opened()

Visitor = Annotated[str | None, Cookie()]


@app.exception_handler(NotAnnounced)
@app.exception_handler(Undelivered)
async def not_stored(_request: Request, error: Exception) -> JSONResponse:
    """What could not be stored is not done: the browser may try again."""
    return JSONResponse({"detail": str(error)}, 503)


@app.get("/")
async def front(response: Response, visitor: Visitor = None) -> dict[str, int]:
    """The prices. Whoever comes for the first time is given a session."""
    if visitor is None:
        response.set_cookie("visitor", uuid4().hex, httponly=True, samesite="lax")
    return PRICES


@app.put("/basket/{item}", status_code=202)
async def put(item: str, count: int, announcer: AnnouncerDep) -> dict[str, str]:
    """So many of an item. The answer comes when the event is stored."""
    if item not in PRICES:
        raise HTTPException(404, f"there is no {item}")
    return {"id": await announcer.announce(BasketChanged(item=item, count=count))}


@app.delete("/basket/{item}", status_code=202)
def remove(item: str, announcer: AnnouncerInThreadsDep) -> dict[str, str]:
    """None of it any more. A plain function runs in a thread, and may wait there."""
    event_id = announcer.announce(BasketChanged(item=item, count=0))
    announcer.flush()
    return {"id": event_id}


@app.get("/basket")
def show(visitor: Visitor = None) -> dict[str, Any]:
    """What the handlers have put into the basket so far, and what it costs in cents."""
    items = in_basket(engine, visitor)
    return {"items": items, "cents": sum(PRICES[item] * count for item, count in items.items())}
