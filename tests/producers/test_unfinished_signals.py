"""Announcing a signal whose fields name what is not defined."""

from typing import Any

import pytest

from oyez.producers import Announcer, MemoryBroker, MemoryTransport
from oyez.schemas import Catalogue, SchemaError, Signal


@pytest.mark.parametrize("data", [{"of": 1}, '{"of": 1}'])
@pytest.mark.parametrize("signal", ["unfinished", "itself"])
def test_a_signal_that_names_what_is_not_defined(signal: Any, data: Any) -> None:
    here = Catalogue()

    class Unfinished(Signal, name="unfinished", catalogue=here):
        of: "Nowhere"  # type: ignore[name-defined] # noqa: F821 # that is the point

    announcer = Announcer(MemoryTransport(MemoryBroker()), source="web-1", catalogue=here)
    with pytest.raises(SchemaError, match="Unfinished: its fields name 'Nowhere', which is not defined"):
        announcer.announce(signal if signal == "unfinished" else Unfinished, data)
