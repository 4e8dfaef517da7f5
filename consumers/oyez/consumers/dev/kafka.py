"""A real Kafka broker, from packages: Java from a wheel, Kafka from Maven."""

import signal
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from oyez.consumers.dev.broker_settings import (
    broker_arguments,
    format_arguments,
    java_command,
    properties,
)
from oyez.consumers.dev.class_archive import ClassArchive
from oyez.consumers.dev.errors import ServiceError
from oyez.consumers.dev.folder import ServiceFolder
from oyez.consumers.dev.jars import KAFKA, kept_jars
from oyez.consumers.dev.ports import HOST, answers, free_port, is_free
from oyez.consumers.dev.process import ServiceProcess, finish

READY_SECONDS = 180.0
STOP_SECONDS = 15.0


class Kafka:
    """One broker on 127.0.0.1, a context manager.

    `data` is its folder (None: a temporary one, removed when it stops), `port` its port (None: a free one),
    `settings` are broker settings that replace the defaults, such as {"num.partitions": "8"}, `jars` the broker's
    jars, as jgo names them: another version.
    """

    def __init__(
        self,
        data: Path | None = None,
        *,
        port: int | None = None,
        settings: dict[str, str] | None = None,
        jars: str = KAFKA,
    ) -> None:
        self._given = data
        self._given_port = port
        self._settings = settings or {}
        self._jars = jars
        self._place: ServiceFolder | None = None
        self._folder = Path()
        self._ports = (0, 0)
        self._process: ServiceProcess | None = None
        self._class_path = ""
        self._options: Sequence[str] = ()

    @property
    def bootstrap(self) -> str:
        """Its address, HOST:PORT."""
        return f"{HOST}:{self._ports[0]}"

    @property
    def pid(self) -> int:
        """The broker's process id."""
        return self._running().pid

    def start(self) -> Self:
        """Start it and wait until it answers. ServiceError, with the end of its log, if it does not."""
        self._place = ServiceFolder(self._given)
        self._folder = self._place.path
        self._ports = (self._given_port or free_port(), free_port())
        try:
            self._check_port()
            self._prepare()
            self._launch(self._options)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Stop it cleanly; a temporary folder goes too."""
        if self._process is not None:
            self.thaw()
            self._process.end(signal.SIGTERM, seconds=STOP_SECONDS)
            self._process = None
        if self._place is not None:
            self._place.close()
            self._place = None

    def kill(self) -> None:
        """SIGKILL, as by a crash. The data stays."""
        self._running().end(seconds=STOP_SECONDS)

    def restart(self) -> None:
        """Start it again on the same port and data, stopping it first if it runs."""
        process = self._running()
        self.thaw()
        process.end(signal.SIGTERM, seconds=STOP_SECONDS)
        self._launch(self._options)

    def freeze(self) -> None:
        """SIGSTOP: it keeps its connections and answers nothing."""
        self._running().send(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT: it goes on."""
        self._running().send(signal.SIGCONT)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _running(self) -> ServiceProcess:
        if self._process is None:
            raise ServiceError("Kafka was not started: call start() first")
        return self._process

    def _prepare(self) -> None:
        port, controller = self._ports
        wanted = self._folder / "server.properties"
        wanted.write_text(properties(self._folder / "log", port, controller, self._settings))
        jars = kept_jars(self._jars)
        self._class_path = jars.class_path
        archive = ClassArchive(jars.class_path, jars.cache)
        if not (self._folder / "log" / "meta.properties").exists():
            self._format(wanted, archive.options)
        archive.make(self._run_once)
        self._options = archive.options

    def _format(self, wanted: Path, options: Sequence[str]) -> None:
        command = java_command(self._class_path, [*options, *format_arguments(wanted)])
        done = finish(command, seconds=READY_SECONDS)
        if done.returncode != 0:
            raise ServiceError(f"Kafka cannot format its folder {self._folder}\n{done.stdout}{done.stderr}")

    def _run_once(self, options: Sequence[str]) -> None:
        self._launch(options)
        self._running().end(signal.SIGTERM, seconds=STOP_SECONDS)

    def _check_port(self) -> None:
        if not is_free(self._ports[0]):
            raise ServiceError(f"Kafka cannot listen on {self.bootstrap}: the port is in use, choose another")

    def _launch(self, options: Sequence[str]) -> None:
        self._check_port()
        self._process = ServiceProcess(
            "Kafka",
            java_command(self._class_path, [*options, *broker_arguments(self._folder / "server.properties")]),
            log=self._folder / "kafka.log",
            folder=self._folder,
            orphaned=signal.SIGKILL,
        )
        self._process.wait_until(self._answers, seconds=READY_SECONDS)

    def _answers(self) -> bool:
        return answers(self._ports[0]) and has_broker(self.bootstrap)


def has_broker(bootstrap: str) -> bool:
    """Whether a broker at this address answers a client and has registered itself."""
    client = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    try:
        return bool(client.list_topics(timeout=2.0).brokers)
    except KafkaException:
        return False
