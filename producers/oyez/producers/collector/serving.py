"""The collector as a server."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import closing

import uvicorn
from starlette.applications import Starlette

from ..errors import SettingsError
from .connections import bounded
from .crowd import Crowd
from .origins import Readers
from .settings import CollectSettings

HEAD = 16_384
"""Bytes of a request's head, at most."""
GRACE = 20
"""Seconds for what was begun, when the server is told to stop."""


class Server(uvicorn.Server):
    """One that tells that it comes round."""

    def __init__(self, config: uvicorn.Config, turn: Callable[[], object]) -> None:
        """See uvicorn; ``turn`` is called each time that its event loop comes round, some times a second."""
        super().__init__(config)
        self._turn = turn

    async def on_tick(self, counter: int) -> bool:
        """See uvicorn."""
        self._turn()
        return await super().on_tick(counter)


def server(
    app: Starlette, settings: CollectSettings, turn: Callable[[], object] = lambda: None
) -> uvicorn.Server:
    """A server for an application, within the bounds that are set."""
    proxies = settings.collect_proxies
    readers = Readers(settings.collect_sites)
    crowd = Crowd(app, settings.collect_max_connections, readers)
    found = Server(
        uvicorn.Config(
            crowd,
            http=bounded(settings.collect_timeout, readers),
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=bool(proxies),
            forwarded_allow_ips=proxies,
            timeout_graceful_shutdown=GRACE,
            h11_max_incomplete_event_size=HEAD,
        ),
        turn,
    )
    crowd.state = found.server_state
    return found


def serve(
    app: Starlette,
    settings: CollectSettings,
    say: Callable[[str], None],
    turn: Callable[[], object] = lambda: None,
) -> None:
    """Answer until SIGTERM or SIGINT, which is raised again when all that was begun is answered. `say` is told the
    address, and `turn` is called each time that the event loop comes round. SettingsError: the address is taken, or
    there is none such."""
    with closing(listening(settings.collect_host, settings.collect_port)) as taken:
        host, port = taken.getsockname()[:2]
        say(f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}")
        server(app, settings, turn).run([taken])


def listening(host: str, port: int, command: str = "collect") -> socket.socket:
    """A socket that listens. SettingsError: it cannot; `command` is what needs it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=1024)
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or error
        raise SettingsError(
            f"{command}: cannot listen on {host} port {port}: {why}; choose another"
        ) from None
