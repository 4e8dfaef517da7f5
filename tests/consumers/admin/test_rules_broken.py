"""Each rule of operations is broken once: the tests notice."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from consumers.admin import test_deleted_behind_a_head as deleted
from consumers.admin.test_interleavings import Discarding, _stepped_database, stepped_database, visits
from consumers.interleavings.signals import Script
from oyez.consumers.admin import discard
from oyez.consumers.database import behind

__all__ = ["_stepped_database", "stepped_database", "visits"]


def test_whoever_deletes_without_the_lock_of_the_head_notes_the_key(
    visits: tuple[Discarding, Script], monkeypatch: pytest.MonkeyPatch
) -> None:
    unnoted = SimpleNamespace(note_keys=lambda *_: None, promote=behind.promote)
    monkeypatch.setattr(discard, "behind", unnoted)
    with pytest.raises(AssertionError):
        deleted.test_discarded_while_the_head_is_done(visits)
