"""Who may do what."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal, get_args

from starlette.exceptions import HTTPException
from starlette.requests import Request

Action = Literal["release", "retry", "discard", "pause", "resume", "hold", "cancel", "purge"]
"""What may be done to deliveries, groups, handlers and keys, and to mails; named as the commands are."""
ACTIONS: frozenset[Action] = frozenset(get_args(Action))


@dataclass(frozen=True)
class Access:
    """What somebody may do: nothing unless it is said. ``who`` is kept with what they do."""

    reads: bool = False
    actions: frozenset[Action] = frozenset()
    who: str = "somebody"

    @classmethod
    def none(cls) -> Access:
        """Nothing."""
        return cls()

    @classmethod
    def read(cls, who: str = "somebody") -> Access:
        """Read, and do nothing."""
        return cls(reads=True, who=who)

    @classmethod
    def act(cls, *actions: Action, who: str = "somebody") -> Access:
        """Read, and do these actions; all, if none is named. ValueError: there is no such action."""
        unknown = sorted(set(actions) - ACTIONS)
        if unknown:
            raise ValueError(f"there is no action {unknown[0]!r}; there are {', '.join(sorted(ACTIONS))}")
        return cls(reads=True, actions=frozenset(actions) or ACTIONS, who=who)


Asking = Callable[[Request], Access | Awaitable[Access]]
"""Says what whoever has sent a request may do. It may raise Starlette's `HTTPException`, such as with 401."""


def closed(_request: Request) -> Access:
    """Nobody may do anything."""
    return Access.none()


def anybody(access: Access) -> Asking:
    """Everybody who can connect may do this."""
    return lambda _request: access


def whoever_knows(password: str, access: Callable[[str], Access]) -> Asking:
    """Whoever knows the password may do what ``access`` says of their name. Asked for in HTTP's own way, so that it
    needs neither a page nor a cookie; programs may send it as a bearer token."""

    def asking(request: Request) -> Access:
        name, said = _said(request)
        if not secrets.compare_digest(said.encode(), password.encode()):
            raise HTTPException(
                401,
                "this dashboard has a password; it is asked for with a name, which may be any",
                {"WWW-Authenticate": 'Basic realm="Oyez", charset="UTF-8"'},
            )
        return access(name or "somebody")

    return asking


def _said(request: Request) -> tuple[str, str]:
    """The name and the password that a request has; empty where it has none."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return "", given.strip()
    if scheme.lower() != "basic":
        return "", ""
    try:
        name, _, password = base64.b64decode(given, validate=True).decode().partition(":")
    except ValueError:
        return "", ""
    return name, password
