"""The same with FastAPI, for uvicorn."""

from __future__ import annotations

from fastapi import FastAPI

from integration.rows.scripted_app import Placed
from oyez.producers.fastapi import AnnouncerDep, announcing
from oyez.producers.web import SessionMiddleware, cookie

app = FastAPI(lifespan=announcing())
app.add_middleware(SessionMiddleware, key=cookie("sid"))


@app.get("/{n}")
async def place(n: int, announcer: AnnouncerDep) -> str:
    return await announcer.announce(Placed, {"n": n})
