"""A key that cannot be one is refused in the same way, in whatever form the data are given."""

from typing import Any

import pytest

from oyez.schemas import InvalidEvent
from producers.shop import memory_announcer

KEYS = ["", "a\0", "a" * 251, "\ud800", "\udcff", 7, b"bytes", object()]
DATA = [{"order_id": 1}, {}, '{"order_id": 1}', "{}", b'{"order_id": 1}', b"{}"]
NO_JSON = ['{"url": "/", "z": "\ud800"}', "\ud800", b'{"url": "\xff"}', "{", b"", "[]", '"\ud800"', "null"]


@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("signal", ["order.paid", "ticked", "page.viewed", "visited", "aliased"])
def test_a_key_that_is_none_is_refused_before_it_is_filled_in(signal: str, key: Any, data: Any) -> None:
    announcer, broker = memory_announcer()
    with pytest.raises(InvalidEvent, match=f"^{signal}: the key "):
        announcer.announce(signal, data, key=key)
    assert broker.end("oyez.events", 0) == 0


@pytest.mark.parametrize("data", NO_JSON)
@pytest.mark.parametrize("signal", ["page.viewed", "visited", "aliased"])
@pytest.mark.parametrize("key", [None, "s1"])
def test_what_is_no_json_is_refused_with_a_key_as_without(signal: str, key: str | None, data: Any) -> None:
    announcer, broker = memory_announcer()
    with pytest.raises(InvalidEvent, match=f"^{signal}: "):
        announcer.announce(signal, data, key=key)
    assert broker.end("oyez.events", 0) == 0
