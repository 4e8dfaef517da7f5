"""The journal of what is handled where it is announced."""

from __future__ import annotations

from consumers.inline.inline_pipeline import Make, doing
from consumers.pipeline import Opened, Viewed
from oyez.consumers import Handlers


def shop() -> Handlers:
    on = Handlers("shop")
    doing(on, Opened)
    doing(on, Viewed)
    return on


def test_it_is_written_with_the_announcement(inline: Make) -> None:
    pipeline = inline(shop(), journal="all")
    pipeline.announce(Viewed(n=1), Opened(n=2))
    assert pipeline.rows("journal", "handler", "outcome") == [
        ("viewed", "waiting"),
        ("opened", "done"),
        ("viewed", "done"),
    ]


def test_it_is_the_callers_transaction_that_commits_it(inline: Make) -> None:
    pipeline = inline(shop(), journal="all")
    with pipeline.engine.connect() as db:
        pipeline.announcer.announce(Opened(n=1), db=db)
        db.rollback()
    assert pipeline.rows("journal", "id") == []
    with pipeline.engine.begin() as db:
        pipeline.announcer.announce(Opened(n=1), db=db)
    assert pipeline.rows("journal", "outcome") == ["done"]
