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


def server(app: Starlette, settings: CollectSettings) -> uvicorn.Server:
    """A server for an application, within the bounds that are set."""
    proxies = settings.collect_proxies
    readers = Readers(settings.collect_sites)
    crowd = Crowd(app, settings.collect_max_connections, readers)
    found = uvicorn.Server(
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
        )
    )
    crowd.state = found.server_state
    return found


def serve(app: Starlette, settings: CollectSettings, say: Callable[[str], None]) -> None:
    """Answer until SIGTERM or SIGINT, which is raised again when all that was begun is answered. `say` is told the
    address. SettingsError: it is taken, or there is none such."""
    with closing(listening(settings.collect_host, settings.collect_port)) as taken:
        host, port = taken.getsockname()[:2]
        say(f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}")
        server(app, settings).run([taken])


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
