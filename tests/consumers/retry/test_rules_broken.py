"""Each rule of claims is broken once: the tests notice."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from consumers.pipeline import Play
from consumers.retry import test_undecodable_heads
from oyez.consumers.retry import claim

Patch = pytest.MonkeyPatch
Break = Callable[[Patch], None]


def what_is_behind_the_buried_stays(patch: Patch) -> None:
    """Whoever deletes a head makes the next row due."""
    patch.setattr(claim, "behind", SimpleNamespace(promote=lambda *_: 0))


RULES: dict[Break, Callable[..., Any]] = {
    what_is_behind_the_buried_stays: test_undecodable_heads.test_claimed_alone,
}


@pytest.mark.parametrize("broken", RULES, ids=lambda broken: broken.__name__)
def test_a_rule_that_is_broken_is_seen(play: Play, monkeypatch: Patch, broken: Break) -> None:
    broken(monkeypatch)
    with pytest.raises(AssertionError):
        RULES[broken](play)
