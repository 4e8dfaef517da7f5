"""Versions of a signal's data: what was announced before is read as what it is now."""

import json
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from oyez.schemas import Catalogue, SchemaError, Signal, Undecodable, decode
from oyez.schemas.changes import changes
from oyez.schemas.documents import json_schemas
from oyez.schemas.encoding import Encoder
from oyez.schemas.replaying import stored_event
from support.pages import ROOT, block

known = Catalogue()


class Viewed(Signal, name="viewed", version=3, catalogue=known, key="visitor"):
    visitor: str
    path: str
    query: dict[str, str] = Field(default_factory=dict)


@Viewed.upcast(from_version=1)
def url_is_a_path(data: dict[str, Any]) -> dict[str, Any]:
    return {"visitor": data["session"], "path": data["url"]}


@Viewed.upcast(from_version=2)
def query_apart(data: dict[str, Any]) -> dict[str, Any]:
    path, _, query = data.pop("path").partition("?")
    return {**data, "path": path, "query": dict(part.split("=") for part in query.split("&") if part)}


def event(data: object, **members: Any) -> bytes:
    return json.dumps(
        {
            "specversion": "1.0",
            "type": "viewed",
            "source": "web-1",
            "id": "e1",
            "partitionkey": "k",
            **members,
        }
        | {"data": data}
    ).encode()


def of_version(version: int) -> str:
    return f"urn:oyez:signal:viewed:{version}"


FIRST = {"session": "s1", "url": "/a?b=c"}
SECOND = {"visitor": "s1", "path": "/a?b=c"}
NOW = Viewed(visitor="s1", path="/a", query={"b": "c"})


@pytest.mark.parametrize(
    "value",
    [
        event(FIRST),
        event(FIRST, dataschema=of_version(1)),
        event(SECOND, dataschema=of_version(2)),
        event(NOW.model_dump(), dataschema=of_version(3)),
        event({**NOW.model_dump(), "more": 1}, dataschema=of_version(4)),
        event(NOW.model_dump(), dataschema="https://example.org/viewed.json"),
    ],
    ids=["none said", "first", "second", "newest", "newer than the code", "another maker's"],
)
def test_data_of_any_version_is_the_newest(value: bytes) -> None:
    assert decode(value, (), None, known).data == NOW


def test_binary_mode_says_its_version_in_a_header() -> None:
    headers = [("ce_specversion", b"1.0"), ("ce_type", b"viewed"), ("ce_source", b"w"), ("ce_id", b"e1")]
    said = [*headers, ("ce_dataschema", of_version(2).encode())]
    assert decode(json.dumps(SECOND).encode(), said, b"k", known).data == NOW


@given(
    st.builds(
        Viewed, visitor=st.text(min_size=1), path=st.text(), query=st.dictionaries(st.text(), st.text())
    )
)
def test_what_is_announced_says_its_version_and_is_read_as_it_is(data: Viewed) -> None:
    value = Encoder("web-1", known).encode(data, id="e1", time="2026-01-01T00:00:00Z", key="k", subject=None)
    assert value.startswith(b'{"specversion":"1.0","type":"viewed","source":"web-1","dataschema":"urn:oyez:')
    assert decode(value, (), None, known).data == data


def test_a_replayed_event_keeps_its_version() -> None:
    value = stored_event(event(SECOND, dataschema=of_version(2))).again()
    assert decode(value, (), None, known).data == NOW


def test_a_signal_of_the_first_version_says_none() -> None:
    own = Catalogue()

    class Plain(Signal, name="plain", catalogue=own):
        n: int

    value = Encoder("web-1", own).encode(
        Plain(n=1), id="e1", time="2026-01-01T00:00:00Z", key=None, subject=None
    )
    assert b"dataschema" not in value


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({"url": "/"}, "data: the upcast from version 1 failed: KeyError: 'session'"),
        ([1], "data: the upcast from version 1 failed: TypeError: "),
        ({"session": 1, "url": "/"}, "visitor: Input should be a valid string"),
    ],
)
def test_what_cannot_be_brought_up_is_undecodable_and_says_why(data: object, reason: str) -> None:
    with pytest.raises(Undecodable) as caught:
        decode(event(data), (), None, known)
    assert reason in caught.value.reason


def test_an_upcast_returns_a_dict() -> None:
    own = Catalogue()

    class Moved(Signal, name="viewed", version=2, catalogue=own):
        n: int

    Moved.upcast(from_version=1)(lambda data: data.clear())  # type: ignore[arg-type, return-value]
    with pytest.raises(Undecodable, match="from version 1 gave NoneType; it has to return a dict"):
        decode(event({"n": 1}), (), None, own)


def test_versions_that_nobody_brings_up_are_refused() -> None:
    own = Catalogue()

    class Moved(Signal, name="viewed", version=3, catalogue=own):
        n: int

    with pytest.raises(
        SchemaError, match=r"nothing brings data of version 2 .* @.*Moved.upcast\(from_version=2\)"
    ):
        own.check()
    Moved.upcast(from_version=2)(lambda data: data)
    own.check()
    with pytest.raises(Undecodable, match="version 1 of viewed is not read any more"):
        decode(event({"n": 1}), (), None, own)
    with pytest.raises(SchemaError, match="already"):
        Moved.upcast(from_version=2)(lambda data: data)
    with pytest.raises(SchemaError, match="from_version=3 is no older version; there are 1 to 2"):
        Moved.upcast(from_version=3)(lambda data: data)


@pytest.mark.parametrize("version", [0, -1, "2", True, 1.0])
def test_a_version_is_a_positive_number(version: Any) -> None:
    with pytest.raises(SchemaError, match=r"version=.* is not valid; use a positive whole number"):

        class Wrong(Signal, name="wrong", version=version, catalogue=Catalogue()):
            pass


def test_upcasts_mend_what_a_change_breaks_for_old_events() -> None:
    before = Catalogue()

    class Viewed(Signal, name="viewed", catalogue=before, key="visitor"):
        visitor: str
        url: str

    old, new = json_schemas(before), json_schemas(known)
    broken = {kind for change in changes(old, new) for kind in change.breaks}
    assert broken == {"old readers"}
    without = {"viewed": {**new["viewed"], "x-oyez-upcasts": [1]}}
    assert "old events" in {kind for change in changes(old, without) for kind in change.breaks}


CHECKED = """
from oyez.schemas import catalogue, decode
old = b'{"specversion":"1.0","type":"page.viewed","source":"w","id":"1","data":{"session_id":"s","url":"/a"}}'
print(decode(old, (), None, catalogue).data)
"""


def test_what_the_docs_show_runs_as_written() -> None:
    shown = block(ROOT / "docs" / "schemas.md", "versions.py")
    done = subprocess.run(
        [sys.executable, "-c", shown + CHECKED], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout, done.stderr) == ("session_id='s' path='/a'\n", "")
