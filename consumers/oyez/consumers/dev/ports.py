"""Free TCP ports on 127.0.0.1."""

import random
import socket

HOST = "127.0.0.1"
# Below the range from which Linux takes the ports of outgoing connections: a client that keeps knocking on a
# stopped server's port could otherwise be given that very port, and keep it from the server.
LOWEST, HIGHEST = 20_000, 32_000


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of 127.0.0.1 now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A port on which nothing listens, chosen at random."""
    candidates = iter(lambda: random.SystemRandom().randint(LOWEST, HIGHEST), None)
    return next(port for port in candidates if is_free(port))


def answers(port: int) -> bool:
    """Whether something accepts connections on this port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((HOST, port)) == 0
