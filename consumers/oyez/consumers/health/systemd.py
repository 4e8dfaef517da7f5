"""What systemd is told (sd_notify): that a service is ready, how it is, and that it lives."""

from __future__ import annotations

import os
import socket
from collections.abc import MutableMapping, Sequence

from .judging import Problem


class Systemd:
    """The socket at which systemd listens; nobody, if it did not begin this process. Nothing is raised: whoever does
    not listen is not told."""

    def __init__(self, address: str, *, wants_life: bool) -> None:
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._wants_life = wants_life
        self._said = ""
        self._was_ready = False

    def tell(self, problems: Sequence[Problem]) -> None:
        """How the service is. It is ready once each process has begun, whatever else is wrong: what is halted, or away,
        a service that is killed and begun anew finds as it was."""
        status = "; ".join(map(str, problems))[:500] or "all is well"
        lines = [f"STATUS={status}"] if status != self._said else []
        if not self._was_ready and all(one.has_begun for one in problems):
            lines.append("READY=1")
            self._was_ready = True
        if self._wants_life and not any(one.is_stuck for one in problems):
            lines.append("WATCHDOG=1")
        self._said = status
        self._send(lines)

    def stop(self) -> None:
        """The service was told to stop."""
        self._send(["STOPPING=1"])

    @property
    def is_there(self) -> bool:
        """Whether anybody is told."""
        return bool(self._address)

    def _send(self, lines: list[str]) -> None:
        if not lines or not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sending:
            sending.setblocking(False)
            try:
                sending.sendto("\n".join(lines).encode(), self._address)
            except OSError:
                return


def systemd_from(environment: MutableMapping[str, str]) -> Systemd:
    """Who is to be told. It is taken out of the environment: what this process starts is not the service."""
    address = environment.pop("NOTIFY_SOCKET", "")
    wanted = environment.pop("WATCHDOG_USEC", "")
    whose = environment.pop("WATCHDOG_PID", "") or str(os.getpid())
    return Systemd(address, wants_life=bool(wanted) and whose == str(os.getpid()))
