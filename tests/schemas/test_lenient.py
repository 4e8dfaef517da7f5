"""The type of an event is seen, whatever else is in it; what no reader would take is none."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from oyez.schemas.lenient import leniently

plain = st.none() | st.booleans() | st.floats(allow_nan=False) | st.text()
members = st.dictionaries(
    st.text(),
    st.recursive(
        plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
    ),
    max_size=4,
)
DEEP = 3_000


def deep(opened: str, closed: str, inner: str = "") -> str:
    return opened * DEEP + inner + closed * DEEP


def shown(value: Any) -> Any:
    """A member where there is a deep one beside it."""
    return None if isinstance(value, dict | list) else value


@given(members)
def test_what_is_valid_is_read_as_it_is(given_members: dict[str, Any]) -> None:
    assert leniently(json.dumps(given_members).encode()) == given_members


@example(held={"]": '"}\\', "\\": "["}, inner='"]}\\""', as_object=False)
@given(held=members, inner=st.text().map(json.dumps), as_object=st.booleans())
def test_what_is_nested_deeply_is_left_out(held: dict[str, Any], inner: str, *, as_object: bool) -> None:
    nested = deep('{"type":', "}", inner) if as_object else deep("[", "]", inner)
    rest = json.dumps({**held, "type": "x"})[1:]
    read = leniently(f'{{"deep": {nested}, {rest}'.encode())
    assert read == {"deep": None, **{name: shown(value) for name, value in held.items()}, "type": "x"}


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (b'{"type":"x","data":"\xe9"}', {"type": "x", "data": "\ufffd"}),
        (b'{"type":"x","data":' + b"9" * 5000 + b"}", {"type": "x", "data": float("inf")}),
        (b'{"type":"x","data":"\\ud800"}', {"type": "x", "data": "\ud800"}),
        ('{"type":"\u00fc"}'.encode("utf-16"), {"type": "\u00fc"}),
        ('{"type":"x"}'.encode("utf-8-sig"), {"type": "x"}),
        (b"\xff", None),
        (b"", None),
        (b'{"type":"x"', None),
        (b'{"type":"x","data":' + b"[" * DEEP, None),
        (b'{"type":"x","data":' + b"[" * DEEP + b"]" * (DEEP - 1) + b"}", None),
        (b'{"type":"x","data":' + b"[" * DEEP + b"]" * (DEEP + 1) + b"}", None),
    ],
)
def test_of_other_readers(value: bytes, read: object) -> None:
    assert leniently(value) == read
