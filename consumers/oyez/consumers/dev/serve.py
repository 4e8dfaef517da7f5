"""Both services in the foreground, for a developer's machine."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

from oyez.consumers.dev.kafka import Kafka
from oyez.consumers.dev.postgres import Postgres


class Stop(Protocol):
    """What ends the services when it is set; a threading.Event is one."""

    def wait(self, timeout: float | None = None, /) -> bool:
        """Wait until it is set, at most `timeout` seconds."""


def serve(
    *,
    kafka: bool,
    postgres: bool,
    data: Path | None,
    kafka_port: int | None,
    postgres_port: int | None,
    say: Callable[[str], None],
    stop: Stop,
) -> None:
    """Run the chosen services until `stop` is set, then stop them.

    `data` is a folder that keeps what is in them (None: nothing is kept). `say` gets, line by line, the
    settings with which the other commands use them. ServiceError if one cannot be started.
    """
    with ExitStack() as services:
        if kafka:
            broker = services.enter_context(Kafka(data and data / "kafka", port=kafka_port))
            say(f"export OYEZ_KAFKA={broker.bootstrap}")
        if postgres:
            server = services.enter_context(Postgres(data and data / "postgres", port=postgres_port))
            say(f"export OYEZ_DATABASE={server.url()}")
        # In slices, so that signals are handled in between.
        while not stop.wait(0.5):
            pass
