"""Runs a command with a Docker engine: `python -m containers.engine COMMAND [ARGUMENT...]`.

A running engine if there is one, else, as root on Debian, one of our own: Debian's `docker.io`, unpacked, with a
folder, a socket and networks of its own. It ends with the command, by its process id.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from containers import leftovers
from containers.compose import with_compose
from containers.errors import UNAVAILABLE, CannotBeHad
from oyez.consumers.dev.errors import ServiceError
from oyez.consumers.dev.process import ServiceProcess
from support.caching import alone, cache
from support.debian import unpacked

READY_SECONDS = 120.0
ASK_SECONDS = 20.0
STOP_SECONDS = 60.0
ENDING_SECONDS = 75.0  # in which a command that is told to stop removes what it has made
# What dockerd calls to lay the networks; Debian makes these names when the package is installed.
FIREWALL = ("iptables", "ip6tables", "iptables-save", "iptables-restore")


@contextmanager
def engine() -> Iterator[Mapping[str, str]]:
    """The environment in which `docker` and `docker compose` work."""
    if _answers(os.environ):
        yield with_compose(os.environ)
        return
    _check_machine()
    kept = cache("docker")
    with alone(kept), tempfile.TemporaryDirectory(prefix="oyez-docker-") as made:
        environment = _programs(Path(made))
        compose = with_compose(environment)
        with _own(kept / "data", Path(made), environment):
            yield compose


def _check_machine() -> None:
    if sys.platform != "linux" or not shutil.which("apt-get"):
        raise CannotBeHad("no Docker engine answers, and only on Debian one can be unpacked: start one")
    if os.geteuid() != 0:
        raise CannotBeHad("no Docker engine answers, and one of its own needs root: start one, or be root")


def _programs(folder: Path) -> dict[str, str]:
    try:
        package = unpacked("docker.io", "iptables")
    except AssertionError as error:
        raise CannotBeHad(f"no Docker engine answers, and Debian's cannot be unpacked: {error}") from None
    programs = folder / "bin"
    programs.mkdir()
    for name in FIREWALL:
        (programs / name).symlink_to(package.file("usr/sbin/xtables-legacy-multi"))
    places = [programs, *(package.folder / part for part in ("usr/sbin", "usr/bin"))]
    return {
        **os.environ,
        **package.environment,
        "PATH": os.pathsep.join([*map(str, places), os.environ["PATH"]]),
        "XTABLES_LIBDIR": str(package.file("usr/lib/*/xtables")),
        "DOCKER_HOST": f"unix://{folder}/socket",
    }


@contextmanager
def _own(data: Path, folder: Path, environment: Mapping[str, str]) -> Iterator[None]:
    places = ["--data-root", data, "--exec-root", folder / "exec", "--pidfile", folder / "pid"]
    changed = [f"{name}={value}" for name, value in environment.items() if value != os.environ.get(name)]
    command = ["/usr/bin/env", *changed, "dockerd", *places, "--host", environment["DOCKER_HOST"]]
    log = folder / "log"
    wait_until_alone(STOP_SECONDS)  # one whose parent was killed may still be ending
    leftovers.unmount(data)
    leftovers.start_nothing_again(data)
    daemon = ServiceProcess("dockerd", command, log=log, folder=folder, orphaned=signal.SIGTERM)
    try:
        daemon.wait_until(lambda: _answers(environment), seconds=READY_SECONDS)
        leftovers.remove_all(environment)
        yield
    except ServiceError as error:
        last = str(error).splitlines()[-1].strip()
        raise CannotBeHad(f"Debian's Docker engine does not start here: {last}") from None
    finally:
        daemon.end(signal.SIGTERM, seconds=STOP_SECONDS)
        leftovers.unmount(folder, data)


def wait_until_alone(seconds: float) -> None:
    """Two engines in one network take each other's rules for packets away; CannotBeHad if another one stays."""
    limit = time.monotonic() + seconds
    while pids := [one.pid for one in psutil.process_iter() if _is_engine(one)]:
        if time.monotonic() > limit:
            raise CannotBeHad(
                f"another Docker engine (process {pids[0]}) runs here and does not answer: mend or end it"
            )
        time.sleep(0.1)


def _is_engine(process: psutil.Process) -> bool:
    try:
        there = Path(f"/proc/{process.pid}/ns/net").readlink()
        return process.name() == "dockerd" and there == Path("/proc/self/ns/net").readlink()
    except (psutil.Error, OSError):
        return False


def _answers(environment: Mapping[str, str]) -> bool:
    if not shutil.which("docker", path=environment["PATH"]):
        return False
    asked = ["docker", "info", "--format", "{{.ServerVersion}}"]
    try:
        return not subprocess.run(
            asked, env=environment, capture_output=True, timeout=ASK_SECONDS, check=False
        ).returncode
    except subprocess.TimeoutExpired:  # it is busy with its start
        return False


def main(command: Sequence[str]) -> int:
    """The exit code of the command; 69 with one line if no engine can be had."""
    try:
        with engine() as environment:
            return _run(command, environment)
    except CannotBeHad as error:
        print(f"docker-engine: {error}", file=sys.stderr)
        return UNAVAILABLE


def _run(command: Sequence[str], environment: Mapping[str, str]) -> int:
    process = subprocess.Popen(command, env=environment)
    try:
        return process.wait()
    except SystemExit:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        _end(psutil.Process(process.pid))
        raise


def _end(process: psutil.Process) -> None:
    """Tell it and what it has begun to stop, and wait: containers on an engine that stays would stay, too. What talks
    to the engine is told by those who began it."""
    begun = [process, *process.children(recursive=True)]
    for one in begun:
        with suppress(psutil.NoSuchProcess):
            if not one.name().startswith("docker"):
                one.terminate()
    for one in psutil.wait_procs(begun, timeout=ENDING_SECONDS)[1]:
        with suppress(psutil.NoSuchProcess):
            one.kill()


if __name__ == "__main__":
    # Also then the engine is ended before this process is.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    sys.exit(main(sys.argv[1:]))
