"""Access logs in combined format, plain or gzip: which of their lines are page views."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import IO, cast

from visits.errors import NOT_FOUND, VisitsError

_QUOTED = r'"((?:[^"\\]|\\.)*)"'
# The agent may hold bare quotes (some servers do not escape them) and further fields may follow it.
_LINE = re.compile(
    rf"(?P<address>\S+) \S+ .*?\[(?P<time>[^\]]+)\] {_QUOTED} (?P<status>\d{{3}}) (?:\d+|-) "
    rf'{_QUOTED} (?:"(?P<agent>(?:[^"\\]|\\.)*)"(?:\s+(?:"[^"]*"|[^\s"]+))*\s*|"(?P<bare>.*)"\s*)$',
    re.ASCII,
)
_TIME = re.compile(r"(\d\d)/(\w{3})/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)", re.ASCII)
_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"
_ASSETS = ".css .js .png .jpg .jpeg .gif .ico .svg .webp .woff .woff2 .ttf .eot .map"


@dataclass(frozen=True, slots=True)
class Request:
    """One line of the log; at is in unix seconds, path as logged, with its query."""

    address: str
    agent: str
    at: int
    method: str
    path: str
    status: int


@dataclass(frozen=True, slots=True)
class View:
    """A page view: the line it was logged on (from 0), when (unix seconds), by whom, and what."""

    line: int
    at: int
    address: str
    agent: str
    path: str


@dataclass(frozen=True, slots=True)
class AccessLog:
    """A log that was read: how many lines, how many of them no request could be read from, the views."""

    lines: int
    unparsed: int
    views: list[View]


def unix_time(text: str) -> int | None:
    """The unix time of `17/May/2015:10:05:03 +0000`; None if it is no such time."""
    found = _TIME.fullmatch(text)
    months = _MONTHS.split()
    if found is None or found[2] not in months:
        return None
    day, year, hour, minute, second = (int(found[n]) for n in (1, 3, 4, 5, 6))
    offset = timedelta(hours=int(found[8]), minutes=int(found[9])) * (-1 if found[7] == "-" else 1)
    try:
        moment = datetime(
            year, months.index(found[2]) + 1, day, hour, minute, second, tzinfo=timezone(offset)
        )
        return int(moment.timestamp())
    except ValueError:
        return None


def parse(line: str) -> Request | None:
    """The request that a line records; None if the line is not in combined format."""
    found = _LINE.match(line)
    at = unix_time(found["time"]) if found else None
    if found is None or at is None:
        return None
    method, _, rest = found[3].partition(" ")
    path, _, protocol = rest.rpartition(" ")
    if not protocol.startswith("HTTP/"):
        path = rest
    agent = found["agent"] if found["agent"] is not None else found["bare"]
    return Request(found["address"], agent, at, method, path, int(found["status"]))


def is_page_view(request: Request) -> bool:
    """Whether a person is taken to have looked at a page: a successful GET of something not an asset."""
    bare = re.split(r"[?#]", request.path, maxsplit=1)[0].lower()
    return (
        request.method == "GET" and request.status in {200, 304} and not bare.endswith(tuple(_ASSETS.split()))
    )


def read(path: Path) -> AccessLog:
    """Read a whole log; VisitsError if it is missing, damaged, or no line of it is a request."""
    lines = unparsed = 0
    views: list[View] = []
    with _opened(path) as log:
        for number, raw in enumerate(log):
            lines += 1
            request = parse(_text(raw))
            if request is None:
                unparsed += 1
            elif is_page_view(request):
                views.append(View(number, request.at, request.address, request.agent, request.path))
    if lines and lines == unparsed:
        raise VisitsError(f"{path} is not an access log in combined format: none of its {lines} lines is")
    return AccessLog(lines, unparsed, views)


def _text(raw: bytes) -> str:
    # What is not UTF-8, and NUL, which PostgreSQL's text cannot hold, becomes \xhh as Apache writes it.
    return raw.rstrip(b"\r\n").decode("utf-8", "backslashreplace").replace("\0", "\\x00")


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    try:
        with path.open("rb") as probe:
            zipped = probe.read(2) == b"\x1f\x8b"
        with cast("IO[bytes]", gzip.open(path)) if zipped else path.open("rb") as log:
            yield log
    except FileNotFoundError:
        raise VisitsError(f"no such log: {path}", NOT_FOUND) from None
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise VisitsError(f"{path} is a damaged gzip file: {error}") from None
    except OSError as error:
        raise VisitsError(f"cannot read {path}: {error.strerror or error}") from None
