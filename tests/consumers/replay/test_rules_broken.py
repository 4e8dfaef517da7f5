"""Each rule of what is put back into the retry table is broken once: the tests notice."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from consumers.interleavings.conftest import _stepped_database, stepped_database
from consumers.pipeline import Play
from consumers.replay import test_own_chains, test_replayed_while_it_is_waited_for
from oyez.consumers.database import passing, stranded
from support.stepping import SteppedDatabase

__all__ = ["_stepped_database", "stepped_database"]


def test_what_a_head_waits_for_goes_before_it(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passing, "overtake", lambda *_: None)
    with pytest.raises(AssertionError):
        test_own_chains.test_replayed_to_the_handler(play)


def test_a_sweep_looks_once_more(stepped_database: SteppedDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stranded, "passing", SimpleNamespace(overtake=lambda *_: None))
    with pytest.raises(AssertionError):
        test_replayed_while_it_is_waited_for.test_its_child_arrives(stepped_database)
