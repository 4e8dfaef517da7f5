"""A real PostgreSQL server, from a package."""

import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from oyez.consumers.dev.errors import ServiceError, missing_extra
from oyez.consumers.dev.ports import HOST, free_port, is_free
from oyez.consumers.dev.postgres_files import check_reachable, own, programs_for, server_user
from oyez.consumers.dev.process import ServiceProcess, guarded

if TYPE_CHECKING:
    import psycopg

READY_SECONDS = 60.0
STOP_SECONDS = 15.0
USER = "postgres"
SETTINGS = {"listen_addresses": HOST, "unix_socket_directories": "", "max_connections": "200"}


class Postgres:
    """One PostgreSQL server on 127.0.0.1, a context manager.

    `data` is its folder (None: a temporary one, removed when it stops), `port` its port (None: a free one),
    `settings` are server settings that replace the defaults, such as {"fsync": "off"}. As root, which
    PostgreSQL refuses, it runs as the user `nobody`.
    """

    def __init__(
        self, data: Path | None = None, *, port: int | None = None, settings: Mapping[str, str] | None = None
    ) -> None:
        self._keeps_data = data is not None
        self._given = data
        self._given_port = port
        self._settings = {**SETTINGS, **(settings or {})}
        self._user = server_user()
        self._folder = Path()
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
        self._folder = (self._given or Path(tempfile.mkdtemp(prefix="oyez-postgres-"))).absolute()
        self._folder.mkdir(parents=True, exist_ok=True)
        self._port = self._given_port or free_port()
        try:
            check_reachable(self._folder.parent, self._user)
            own(self._folder, self._user)
            self._programs = programs_for(self._user, self._folder)
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
        if not self._keeps_data and self._folder != Path():
            shutil.rmtree(self._folder, ignore_errors=True)

    def kill(self) -> None:
        """SIGKILL to its first process, as by a crash; the others end by themselves. The data stays."""
        self._running().end(seconds=STOP_SECONDS)

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
        options = ["--username", USER, "--pwfile", secret, "--auth", "scram-sha-256", "--no-sync"]
        place = ["--encoding", "UTF8", "--locale", "C", "--pgdata", self._folder / "data"]
        command = guarded([self._programs / "initdb", *options, *place], signal.SIGKILL, self._user)
        done = subprocess.run(
            command, cwd=self._folder, capture_output=True, text=True, timeout=READY_SECONDS
        )
        if done.returncode != 0:
            raise ServiceError(f"PostgreSQL's folder {self._folder} cannot be made\n{done.stderr}")

    def _launch(self) -> None:
        if not is_free(self._port):
            raise ServiceError(
                f"PostgreSQL cannot listen on {HOST}:{self._port}: the port is in use, choose another"
            )
        options = [f"--{name}={value}" for name, value in self._settings.items()]
        place = ["-D", self._folder / "data", "-p", str(self._port)]
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
        psycopg = driver()
        try:
            self._connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def _execute(self, statement: str) -> None:
        with self._connect() as connection:
            connection.execute(statement.encode())

    def _connect(self) -> "psycopg.Connection[Any]":
        return driver().connect(
            host=HOST, port=self._port, user=USER, password=self._password, dbname=USER, autocommit=True,
            connect_timeout=5,
        )  # fmt: skip


def driver() -> Any:
    """The module psycopg; ServiceError if it is not installed."""
    try:
        import psycopg
    except ModuleNotFoundError as error:
        raise missing_extra("PostgreSQL", error.name) from None
    return psycopg
