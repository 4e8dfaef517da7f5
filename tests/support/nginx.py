"""Debian's nginx, with a file of ours as a part of its configuration."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from oyez.consumers.dev.ports import answers
from support.debian import unpacked
from support.waiting import eventually

MAIN = """daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1; {user}
events {{ worker_connections 64; }}
http {{
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi; access_log off;
    include {folder}/conf.d/*.conf;
}}
"""


class Nginx:
    """One that has its files in a folder."""

    def __init__(self, folder: Path, part: str) -> None:
        package = unpacked("nginx-light")
        self._program = str(package.file("usr/sbin/nginx"))
        self._env = {**os.environ, **package.environment}
        self.folder = folder
        (folder / "conf.d").mkdir(parents=True)
        user = "user root;" if os.geteuid() == 0 else ""  # else its workers may not enter the folder
        (folder / "nginx.conf").write_text(MAIN.format(folder=folder, user=user))
        (folder / "conf.d" / "oyez.conf").write_text(part)

    def check(self) -> str:
        """What `nginx -t` says; AssertionError if that is not well."""
        done = subprocess.run(
            self._command("-t"), env=self._env, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stderr

    @contextmanager
    def running(self, port: int) -> Iterator[None]:
        """Until the end of the block. It listens to this port."""
        process = subprocess.Popen(self._command(), env=self._env, stdin=subprocess.DEVNULL)
        try:
            eventually(lambda: answers(port) or process.poll() is not None)
            assert process.poll() is None, (self.folder / "error.log").read_text()
            yield
        finally:
            process.terminate()
            process.wait(60)

    def _command(self, *more: str) -> list[str]:
        # -e: before it has read its configuration, it would write elsewhere.
        return [self._program, "-c", f"{self.folder}/nginx.conf", "-e", f"{self.folder}/error.log", *more]


def certificate(folder: Path, *names: str) -> tuple[Path, Path]:
    """A certificate for these names that nobody has signed but itself, and its key."""
    program, env = shutil.which("openssl"), dict(os.environ)
    if program is None:
        found = unpacked("openssl")
        program, env = str(found.file("usr/bin/openssl")), {**env, **found.environment}
    made, key = folder / "fullchain.pem", folder / "key.pem"
    alternatives = ",".join(f"DNS:{name}" for name in names)
    asked = [
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
    ]
    asked += ["-subj", f"/CN={names[0]}", "-addext", f"subjectAltName={alternatives}"]
    asked += ["-keyout", str(key), "-out", str(made)]
    subprocess.run([program, *asked], env=env, check=True, capture_output=True, timeout=60)
    return made, key


@contextmanager
def names_on_this_machine(*names: str) -> Iterator[None]:
    """In the block, this process finds these names at 127.0.0.1."""
    own = socket.getaddrinfo

    def found(host: object, *rest: object, **more: object) -> object:
        return own("127.0.0.1" if host in names else host, *rest, **more)  # type: ignore[arg-type]

    socket.getaddrinfo = found  # type: ignore[assignment]
    try:
        yield
    finally:
        socket.getaddrinfo = own
