"""Reading access logs: every line is a request or counted, and the page-view rule."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visits import accesslog
from visits.errors import VisitsError

from .conftest import LogLine, log_line


def test_a_line_is_read(line: LogLine) -> None:
    assert accesslog.parse(line(path="/a?b=%20")) == accesslog.Request(
        "1.2.3.4", "Mozilla/5.0", 1431857103, "GET", "/a?b=%20", 200
    )


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("17/May/2015:10:05:03 +0000", 1431857103),
        ("17/May/2015:12:05:03 +0200", 1431857103),
        ("17/May/2015:06:35:03 -0330", 1431857103),
        ("17/Mai/2015:10:05:03 +0000", None),
        ("32/May/2015:10:05:03 +0000", None),
        ("17/May/2015:10:05:03 +9900", None),
        ("17/May/2015 10:05:03", None),
    ],
)
def test_times_are_read_with_their_zone(text: str, at: int | None) -> None:
    assert accesslog.unix_time(text) == at


@pytest.mark.parametrize(
    "agent", ["", "-", '\\"quoted\\"', "100% \\\\", 'bare " quotes', "a\tb", "é", "[x] \\x22", 'ends with "']
)
def test_any_agent_is_taken_as_logged(line: LogLine, agent: str) -> None:
    request = accesslog.parse(line(agent=agent))
    assert request is not None
    assert request.agent == agent


def test_further_fields_are_passed_over(line: LogLine) -> None:
    request = accesslog.parse(line().rstrip("\n") + ' "10.0.0.1" 0.004\n')
    assert request is not None
    assert request.agent == "Mozilla/5.0"


@pytest.mark.parametrize(
    ("request_line", "path"),
    [("GET / HTTP/1.1", "/"), ("GET /a b HTTP/1.0", "/a b"), ("GET /old", "/old"), ("-", ""), ("", "")],
)
def test_odd_requests_are_still_requests(line: LogLine, request_line: str, path: str) -> None:
    request = accesslog.parse(line().replace("GET / HTTP/1.1", request_line))
    assert request is not None
    assert request.path == path


@pytest.mark.parametrize(
    ("path", "method", "status", "is_view"),
    [
        ("/", "GET", "200", True),
        ("/", "GET", "304", True),
        ("/", "GET", "206", False),
        ("/", "HEAD", "200", False),
        ("/a.CSS", "GET", "200", False),
        ("/a.js?v=1", "GET", "200", False),
        ("/a.svg#x", "GET", "200", False),
        ("/a?b.css", "GET", "200", True),
        ("/a.css/", "GET", "200", True),
        ("/a.pdf", "GET", "200", True),
    ],
)
def test_what_a_page_view_is(line: LogLine, path: str, method: str, status: str, is_view: bool) -> None:
    request = accesslog.parse(line(path=path, method=method, status=status))
    assert request is not None
    assert accesslog.is_page_view(request) is is_view


@pytest.mark.parametrize("suffix", [".log", ".log.gz", ".txt"])
def test_plain_and_gzip_are_told_apart_by_content(tmp_path: Path, small_log: Path, suffix: str) -> None:
    zipped = tmp_path / f"zipped{suffix}"
    zipped.write_bytes(gzip.compress(small_log.read_bytes()))
    log = accesslog.read(zipped)
    assert log == accesslog.read(small_log)
    assert (log.lines, log.unparsed, [view.line for view in log.views]) == (8, 1, [0, 1, 3, 4, 7])


def test_bytes_that_are_no_text_neither_fail_nor_reach_the_database(tmp_path: Path) -> None:
    path = tmp_path / "odd.log"
    path.write_bytes(log_line(path="/caf_").encode().replace(b"_", b"\xe9\x00"))
    assert accesslog.read(path).views[0].path == "/caf\\xe9\\x00"


def test_an_empty_log_has_nothing(tmp_path: Path) -> None:
    path = tmp_path / "empty.log"
    path.touch()
    assert accesslog.read(path) == accesslog.AccessLog(0, 0, [])


def test_what_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "not").write_bytes(b"\x00\x01\n\x02\n")
    (tmp_path / "cut.gz").write_bytes(gzip.compress(log_line().encode() * 99)[:-9])
    (tmp_path / "bad.gz").write_bytes(b"\x1f\x8b no gzip")
    for name, message in {
        "absent": "no such log",
        "not": "none of its 2 lines",
        "cut.gz": "damaged gzip",
        "bad.gz": "damaged gzip",
        ".": "cannot read",
    }.items():
        with pytest.raises(VisitsError, match=message) as refused:
            accesslog.read(tmp_path / name)
        assert "\n" not in str(refused.value)


@given(st.text())
def test_no_text_at_all_makes_it_fail(text: str) -> None:
    accesslog.parse(text)
    accesslog.parse(f'1.2.3.4 - - [17/May/2015:10:05:03 +0000] "{text}" 200 1 "{text}" "{text}"')
