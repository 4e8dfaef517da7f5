"""The dashboard as a server of its own."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from socket import socket

import uvicorn
from starlette.applications import Starlette

from oyez.producers.collector.connections import bounded
from oyez.producers.collector.crowd import Crowd
from oyez.producers.collector.origins import Readers
from oyez.producers.collector.serving import HEAD, Server, listening

from ..handlers.application import Application
from .app import dashboard
from .common.access import Access, Asking, anybody, whoever_knows
from .live.changes import Changes
from .settings import DashboardSettings, require_access_control

ARRIVAL = 10.0
"""Seconds that a request may take to arrive."""
CONNECTIONS = 200
GRACE = 5
"""Seconds for what was begun, when the server is told to stop."""


def served(application: Application, settings: DashboardSettings, *, acts: bool) -> Starlette:
    """The dashboard as its settings say; what it shows may be changed only if it ``acts``. Raises `SettingsError` where
    others could read it."""
    require_access_control(settings)
    access = _access(settings.dashboard_password, Access.act if acts else Access.read)
    return dashboard(application, access=access, settings=settings, hosts=settings.dashboard_names)


def _access(password: str | None, allowed: Callable[..., Access]) -> Asking:
    if password is None:
        return anybody(allowed(who="dashboard"))
    return whoever_knows(password, lambda who: allowed(who=who))


class LettingGo(Server):
    """One that lets go whoever waits for news, before it waits for what was begun."""

    def __init__(self, config: uvicorn.Config, turn: Callable[[], object], changes: Changes) -> None:
        """See `Server`; ``changes`` are what is waited for."""
        super().__init__(config, turn)
        self._changes = changes

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        """See uvicorn."""
        self._changes.end()
        await super().shutdown(sockets)


def server(
    app: Starlette,
    settings: DashboardSettings,
    most: int = CONNECTIONS,
    turn: Callable[[], object] = lambda: None,
) -> Server:
    """A server for it, within bounds: fewer than ``most`` may be connected for a request to be answered."""
    proxies = settings.dashboard_proxies
    readers = Readers({})  # pages of other sites read nothing
    crowd = Crowd(app, most, readers)
    found = LettingGo(
        uvicorn.Config(
            crowd,
            http=bounded(ARRIVAL, readers),
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            root_path=settings.dashboard_path,
            proxy_headers=bool(proxies),
            forwarded_allow_ips=proxies,
            timeout_graceful_shutdown=GRACE,
            h11_max_incomplete_event_size=HEAD,
        ),
        turn,
        app.state.board.changes,
    )
    crowd.state = found.server_state
    return found


def serve(
    app: Starlette,
    settings: DashboardSettings,
    say: Callable[[str], None],
    turn: Callable[[], object] = lambda: None,
) -> None:
    """Answer until SIGTERM or SIGINT, which is raised again when all that was begun is answered. ``say`` is told the
    address, and ``turn`` is called each time that the event loop comes round. `SettingsError`: the address is taken, or
    there is none such."""
    with closing(listening(settings.dashboard_host, settings.dashboard_port, "dashboard")) as taken:
        host, port = taken.getsockname()[:2]
        where = f"[{host}]" if ":" in host else host
        say(f"http://{where}:{port}{settings.dashboard_path}")
        server(app, settings, turn=turn).run([taken])
