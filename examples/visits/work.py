"""The work folder of an import: what the servers are dealt, what they recorded, where it all went."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from shutil import rmtree
from typing import Any

from visits.accesslog import View
from visits.errors import NOT_FOUND, VisitsError
from visits.sessions import Step


@dataclass(frozen=True, slots=True)
class Run:
    """One import: which log, how many servers, and where the events and their effects are.

    Without ``kafka`` each server has a folder of the spool.
    """

    log: str
    servers: int
    kafka: str
    topic: str
    database: str

    @property
    def is_spooled(self) -> bool:
        """Whether the events go through files."""
        return not self.kafka


@dataclass(frozen=True, slots=True)
class Announced:
    """A server's note of one event that it announced."""

    signal: str
    id: str
    session: str


@dataclass(frozen=True, slots=True)
class Work:
    """The folder's files by name."""

    folder: Path

    @property
    def spool(self) -> Path:
        """The folder with the servers' spools."""
        return self.folder / "spool"

    def create(self) -> None:
        """Make the folder, kept out of version control."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / ".gitignore").write_text("*\n")
        except OSError as error:
            raise VisitsError(f"cannot write to the folder {self.folder}: {error.strerror}") from None

    def clear(self) -> None:
        """Remove the files of an earlier import."""
        for pattern in ("run.json", "dealt-*.jsonl", "announced-*.jsonl", "*.log"):
            for old in self.folder.glob(pattern):
                old.unlink()
        rmtree(self.spool, ignore_errors=True)

    def dealt(self, source: str) -> Path:
        """The steps that this server will announce."""
        return self.folder / f"dealt-{source}.jsonl"

    def announced(self, source: str) -> Path:
        """What this server announced, in its order."""
        return self.folder / f"announced-{source}.jsonl"

    def save(self, run: Run) -> None:
        """Remember the import, for the commands that look at it afterwards."""
        (self.folder / "run.json").write_text(json.dumps(asdict(run), indent=2) + "\n")

    def load(self) -> Run:
        """The import of this folder; VisitsError if there is none."""
        path = self.folder / "run.json"
        try:
            return Run(**json.loads(path.read_text()))
        except FileNotFoundError:
            hint = "run `python -m visits import LOG` first, or name its folder with --work"
            raise VisitsError(f"no import in {self.folder}: {hint}", NOT_FOUND) from None
        except (ValueError, TypeError) as error:
            raise VisitsError(f"{path} cannot be read: {error}") from None


def source_of(server: int) -> str:
    """The name under which a server announces."""
    return f"web-{server}"


def write_steps(path: Path, steps: Iterable[Step]) -> None:
    """Write what a server is dealt, one step a line."""
    with path.open("w") as out:
        out.writelines(json.dumps(asdict(step)) + "\n" for step in steps)


def read_steps(path: Path) -> Iterator[Step]:
    """Read what write_steps wrote."""
    for fields in _lines(path):
        yield Step(**{**fields, "view": View(**fields["view"])})


def read_announced(path: Path) -> Iterator[Announced]:
    """Read a server's notes; VisitsError if they are missing or damaged."""
    try:
        for fields in _lines(path):
            yield Announced(**fields)
    except FileNotFoundError:
        raise VisitsError(f"{path} is missing: what that server announced is not known", NOT_FOUND) from None
    except (ValueError, TypeError) as error:
        raise VisitsError(f"{path} cannot be read: {error}") from None


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open() as lines:
        yield from map(json.loads, lines)
