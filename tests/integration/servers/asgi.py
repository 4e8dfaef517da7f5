"""An application for an ASGI server, whose endpoint waits for nothing."""

from __future__ import annotations

from fastapi import FastAPI

from integration.servers.signals import Ticked
from oyez.producers.fastapi import AnnouncerInThreadsDep, announcing

app = FastAPI(lifespan=announcing())


@app.post("/{n}")
def tick(n: int, announcer: AnnouncerInThreadsDep) -> str:
    return announcer.announce(Ticked(n=n))
