"""The processes of an import: web servers that announce, and workers that listen."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from visits.errors import VisitsError

PACKAGES = Path(__file__).parent.parent
OYEZ = str(Path(sys.executable).with_name("oyez"))
STOP_SECONDS = 15.0


class Child:
    """A process that was started, with the file that what it prints goes to."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        log: Path,
        environment: Mapping[str, str],
        *,
        stdin: int = subprocess.DEVNULL,
        stdout: int | None = None,
    ) -> None:
        self.name = name
        self._log = log
        with log.open("wb") as out:
            self._process = subprocess.Popen(
                command,
                env={**os.environ, **environment, "PYTHONPATH": _python_path()},
                stdin=stdin,
                stdout=out if stdout is None else stdout,
                stderr=out,
                text=True,
            )

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    @property
    def runs(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def check(self) -> None:
        """VisitsError if it has ended otherwise than well."""
        if self._process.poll():
            raise self.failure()

    def failure(self) -> VisitsError:
        """What to say when it ended too soon: its last words."""
        status = self._process.returncode
        return VisitsError(f"{self.name} ended with status {status}: {self.last_words()}")

    def last_words(self) -> str:
        """The last line that it printed, and where the others are."""
        said = self._log.read_text(errors="replace").splitlines() if self._log.exists() else []
        last = next((line for line in reversed(said) if line.strip()), "it said nothing")
        return f"{last} (see {self._log})"

    def read_line(self) -> str:
        """Wait for the next line that it prints, where that goes into a pipe; VisitsError if it ends before."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            raise self.failure()
        return line

    def stop(self) -> None:
        """SIGTERM, if it still runs."""
        if self.runs:
            self._process.terminate()

    def end(self) -> None:
        """Wait until it has ended, SIGKILL when that takes too long, and close its pipes."""
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()


class Server(Child):
    """A web server: it says when it is ready, and begins when told to."""

    def __init__(self, name: str, command: Sequence[str], log: Path, environment: Mapping[str, str]) -> None:
        super().__init__(name, command, log, environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def wait_until_ready(self) -> None:
        """Wait until it says so; VisitsError if it ends before."""
        self.read_line()

    def begin(self) -> None:
        """Tell it to begin; VisitsError if it has ended."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write("begin\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            self._process.wait()
            raise self.failure() from None


@contextmanager
def ended_together() -> Iterator[list[Child]]:
    """A list of children; all that were put into it are ended when the block is left."""
    children: list[Child] = []
    try:
        yield children
    finally:
        for child in children:
            child.stop()
        for child in children:
            child.end()


def server(folder: Path, source: str, pause: float, delay: float, environment: Mapping[str, str]) -> Server:
    """Start a web server that waits pause seconds a line, and is delay seconds late."""
    command = [sys.executable, "-m", "visits.server", str(folder), source, str(pause), str(delay)]
    return Server(source, command, folder / f"{source}.log", {**environment, "OYEZ_SOURCE": source})


def listener(folder: Path, name: str, workers: int, environment: Mapping[str, str]) -> Child:
    """Start `oyez listen`, with so many workers for each group."""
    command = [OYEZ, "listen", "--app", "visits.handlers:on", "--workers", str(workers)]
    return Child(name, command, folder / f"{name}.log", environment)


def upgrade_database(url: str) -> None:
    """Run `oyez db upgrade`; VisitsError, with what it says, if the tables cannot be made."""
    command, environment = [OYEZ, "db", "upgrade"], {**os.environ, "OYEZ_DATABASE": url}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise VisitsError(done.stderr.strip().removeprefix("oyez: "))


@contextmanager
def kafka(folder: Path) -> Iterator[str]:
    """Run a Kafka of `oyez dev` in the block; its address. VisitsError if it cannot be started."""
    command = [OYEZ, "dev", "--no-postgres", "--json"]
    with ended_together() as children:
        child = Child("oyez dev", command, folder / "kafka.log", {}, stdout=subprocess.PIPE)
        children.append(child)
        yield json.loads(child.read_line())["value"]


def _python_path() -> str:
    return os.pathsep.join(filter(None, [str(PACKAGES), os.environ.get("PYTHONPATH")]))
