"""A real PgBouncer before a real PostgreSQL."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, make_url

from oyez.consumers.dev.ports import HOST, answers, free_port
from support.debian import unpacked
from support.waiting import eventually


class PgBouncer:
    """A pooler on 127.0.0.1. PgBouncer refuses root: then it runs as the user `nobody`."""

    def __init__(self, server: str, folder: Path, mode: str, settings: Mapping[str, str]) -> None:
        self._server: URL = make_url(server)
        self._folder = folder
        self._package = unpacked("pgbouncer")
        self._port = free_port()
        self._settings = {
            "listen_addr": HOST,
            "listen_port": str(self._port),
            "unix_socket_dir": "",
            "auth_type": "trust",
            "auth_file": str(folder / "users"),
            "pool_mode": mode,
            "max_client_conn": "500",
            "ignore_startup_parameters": "extra_float_digits",
            **settings,
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address of the server's database, with the pooler between."""
        return self._server.set(host=HOST, port=self._port).render_as_string(hide_password=False)

    @property
    def log(self) -> str:
        """What it has logged."""
        return (self._folder / "log").read_text(errors="replace")

    def start(self) -> None:
        """Start it and wait until it answers."""
        (self._folder / "users").write_text(f'"{self._server.username}" ""\n')
        where = f"host={self._server.host} port={self._server.port}"
        who = f"user={self._server.username} password={self._server.password}"
        told = "".join(f"{name} = {value}\n" for name, value in self._settings.items())
        config = self._folder / "pgbouncer.ini"
        config.write_text(f"[databases]\n* = {where} {who}\n[pgbouncer]\n{told}")
        # A copy: the user it runs as may not enter the home that the cache is in.
        program = self._folder / "pgbouncer"
        shutil.copy(self._package.file("usr/sbin/pgbouncer"), program)
        libraries = self._folder / "libraries"
        if not libraries.exists():
            libraries.mkdir()
            for library in self._package.folder.rglob("*.so.*"):
                shutil.copy(library, libraries / library.name)
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [program, "--quiet", config],
                env={**os.environ, "LD_LIBRARY_PATH": str(libraries)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                **_unprivileged(),
            )
        eventually(self._is_up, 30)

    def stop(self) -> None:
        """End it at once; its clients lose their connections."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(20)
            self._process = None

    def restart(self) -> None:
        """End it and start it again on the same port."""
        self.stop()
        self.start()

    def _is_up(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log
        return answers(self._port)


@contextmanager
def pgbouncer(server: str, mode: str = "transaction", **settings: str) -> Iterator[PgBouncer]:
    """A pooler before the server of this URL, in this mode; ``settings`` are its own, such as default_pool_size."""
    folder = Path(tempfile.mkdtemp(prefix="oyez-pgbouncer-"))
    folder.chmod(0o755)
    made = PgBouncer(server, folder, mode, settings)
    made.start()
    try:
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder)


def _unprivileged() -> dict[str, str]:
    return {"user": "nobody", "group": "nogroup"} if os.geteuid() == 0 else {}
