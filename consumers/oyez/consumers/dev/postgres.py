"""A real PostgreSQL server, from a package."""

import secrets
import signal
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from oyez.consumers.dev.errors import ServiceError, extra_module
from oyez.consumers.dev.folder import ServiceFolder
from oyez.consumers.dev.ports import HOST, free_port, is_free
from oyez.consumers.dev.postgres_files import check_reachable, own, programs_for, server_user
from oyez.consumers.dev.process import ServiceProcess, finish, guarded

READY_SECONDS = 180.0
STOP_SECONDS = 15.0
USER = "postgres"
SETTINGS = {"listen_addresses": HOST, "unix_socket_directories": "", "max_connections": "200"}


class Postgres:
    """One PostgreSQL server on 127.0.0.1, a context manager.

    `data` is its folder (None: a temporary one, removed when it stops), `port` its port (None: a free one),
    `settings` are server settings that replace the defaults, such as {"fsync": "off"}, `programs` the folder with
    its programs (None: the package's): another version. As root, which PostgreSQL refuses, it runs as `nobody`.
    """

    def __init__(
        self,
        data: Path | None = None,
        *,
        port: int | None = None,
        settings: Mapping[str, str] | None = None,
        programs: Path | None = None,
    ) -> None:
        self._given = data
        self._given_port = port
        self._settings = {**SETTINGS, **(settings or {})}
        self._user = server_user()
        self._driver = extra_module("PostgreSQL", "psycopg")
        self._psutil = extra_module("PostgreSQL", "psutil")
        self._place: ServiceFolder | None = None
        self._folder = Path()
        self._given_programs = programs
        self._programs = Path()
        self._port = 0
        self._password = ""
        self._process: ServiceProcess | None = None

    @property
    def pid(self) -> int:
        """The process id of the server's first process."""
        return self._running().pid

    def url(self, database: str = USER) -> str:
        """The SQLAlchemy URL of a database, for the driver psycopg."""
        return f"postgresql+psycopg://{USER}:{self._password}@{HOST}:{self._port}/{database}"

    def create_database(self, name: str) -> str:
        """Make an empty database; its URL."""
        self._execute(f'CREATE DATABASE "{name}"')
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Remove a database and end the connections to it."""
        self._execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def start(self) -> Self:
        """Start it and wait until it answers. ServiceError, with the end of its log, if it does not."""
        self._place = ServiceFolder(self._given)
        self._folder = self._place.path
        self._port = self._given_port or free_port()
        try:
            check_reachable(self._folder.parent, self._user)
            own(self._folder, self._user)
            self._programs = self._given_programs or programs_for(self._user, self._folder)
            self._initialise()
            self._launch()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Stop it, ending its connections; a temporary folder goes too."""
        if self._process is not None:
            self.thaw()
            self._process.end(signal.SIGINT, signal.SIGQUIT, seconds=STOP_SECONDS)
            self._process = None
        if self._place is not None:
            self._place.close()
            self._place = None

    def kill(self) -> None:
        """SIGKILL to all its processes, as by a crash. The data stays."""
        process = self._running()
        backends = self._psutil.Process(process.pid).children()
        process.end(seconds=STOP_SECONDS)
        # A backend that is busy with a statement would outlive the server, and keep its successor out.
        for backend in backends:
            with suppress(self._psutil.NoSuchProcess):
                backend.kill()
        self._psutil.wait_procs(backends, timeout=STOP_SECONDS)

    def restart(self) -> None:
        """Start it again on the same port and data, stopping it first if it runs."""
        process = self._running()
        self.thaw()
        process.end(signal.SIGINT, signal.SIGQUIT, seconds=STOP_SECONDS)
        self._launch()

    def freeze(self) -> None:
        """SIGSTOP to its first process: open connections live on, new ones get no answer."""
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
            raise ServiceError("PostgreSQL was not started: call start() first")
        return self._process

    def _initialise(self) -> None:
        secret = self._folder / "password"
        if (self._folder / "data" / "PG_VERSION").exists():
            self._password = secret.read_text()
            return
        self._password = secrets.token_urlsafe(16)
        secret.touch(mode=0o600)
        secret.write_text(self._password)
        own(secret, self._user)
        options: list[str | Path] = [
            "--username",
            USER,
            "--pwfile",
            secret,
            "--auth",
            "scram-sha-256",
            "--no-sync",
        ]
        place: list[str | Path] = ["--encoding", "UTF8", "--locale", "C", "--pgdata", self._folder / "data"]
        command = guarded([self._programs / "initdb", *options, *place], signal.SIGKILL, self._user)
        done = finish(command, folder=self._folder, seconds=READY_SECONDS)
        if done.returncode != 0:
            raise ServiceError(f"PostgreSQL cannot fill its folder {self._folder}\n{done.stderr}")

    def _launch(self) -> None:
        if not is_free(self._port):
            raise ServiceError(
                f"PostgreSQL cannot listen on {HOST}:{self._port}: the port is in use, choose another"
            )
        options = [f"--{name}={value}" for name, value in self._settings.items()]
        place: list[str | Path] = ["-D", self._folder / "data", "-p", str(self._port)]
        self._process = ServiceProcess(
            "PostgreSQL",
            [self._programs / "postgres", *place, *options],
            log=self._folder / "postgres.log",
            folder=self._folder,
            orphaned=signal.SIGQUIT,
            user=self._user,
        )
        self._process.wait_until(self._answers, seconds=READY_SECONDS)

    def _answers(self) -> bool:
        try:
            self._connect().close()
        except self._driver.OperationalError:
            return False
        return True

    def _execute(self, statement: str) -> None:
        with self._connect() as connection:
            connection.execute(statement)

    def _connect(self) -> Any:
        where = {"host": HOST, "port": self._port, "dbname": USER}
        return self._driver.connect(
            **where, user=USER, password=self._password, autocommit=True, connect_timeout=5
        )
