"""Event files that come, go and break while the log goes on and something of theirs is parked."""

from __future__ import annotations

from consumers.handler_files import event_folder
from consumers.handler_files.event_folder import (
    AccountOpened,
    Folder,
    ItemNew,
    PageViewed,
    filed,
    noting,
)
from consumers.pipeline import Pipeline, Play
from consumers.upkeep.deploys import next_version, stopped
from oyez.consumers import Handlers
from oyez.consumers.handlers.recorded_handlers import UNREGISTERED_AFTER

FAILING = (
    "from consumers.handler_files import event_folder as here\ndef handle(event): here.seen.remove(event.n)"
)


def deployed(play: Play, before: Pipeline, folder: Folder, seconds: float = 1.0) -> Pipeline:
    """The next version, with the files that are there now."""
    return next_version(play, stopped(before), folder.load().handlers, seconds=seconds, signals=filed)


def test_what_a_removed_file_had_parked_stays_and_runs_when_it_is_back(folder: Folder, play: Play) -> None:
    folder.write("31-a.py", noting("a"))
    file = folder.write("31-b.py", FAILING)
    first = play(folder.load().handlers, signals=filed)
    first.handle(PageViewed(n=1))
    file.unlink()
    second = deployed(play, first, folder, seconds=UNREGISTERED_AFTER + 1)
    second.later()
    second.handle(PageViewed(n=2))
    assert second.effects("a") == [1, 2]
    assert [(name, n) for name, n, _ in second.parked()] == [("31-b.py", 1)]
    event_folder.seen.append(1)
    folder.write("31-b.py", FAILING)
    third = deployed(play, second, folder)
    third.later()
    assert (third.is_clean(), event_folder.seen) == (True, [])


def test_what_a_broken_file_had_parked_stays_until_it_is_repaired(folder: Folder, play: Play) -> None:
    folder.write("31.py", FAILING)
    first = play(folder.load().handlers, signals=filed)
    first.handle(PageViewed(n=1))
    folder.write("31.py", "1 / 0")
    second = deployed(play, first, folder)
    second.later()
    assert len(second.parked()) == 1
    event_folder.seen.append(1)
    folder.write("31.py", FAILING)
    third = deployed(play, second, folder)
    third.later()
    assert third.is_clean()


def test_a_prerequisite_that_only_a_removed_file_stood_in_the_way_of_is_met(
    folder: Folder, play: Play
) -> None:
    file = folder.write("2-verify.py", f"COMPLETES = True\n{FAILING.replace('event.n', '7')}")
    folder.write("3.py", noting("award"))
    first = play(folder.load().handlers, signals=filed)
    first.handle(AccountOpened(owner="ann"), ItemNew(owner="ann", n=5))
    assert first.effects("award") == []
    file.unlink()
    second = deployed(play, first, folder, seconds=UNREGISTERED_AFTER + 1)
    second.later(5.0)
    assert second.effects("award") == [5]


def test_a_file_that_does_not_complete_holds_nobody_up(folder: Folder, play: Play) -> None:
    folder.write("2-verify.py", FAILING.replace("event.n", "7"))
    folder.write("3.py", noting("award"))
    pipeline = play(folder.load().handlers, signals=filed)
    pipeline.handle(AccountOpened(owner="ann"), ItemNew(owner="ann", n=5))
    assert pipeline.effects("award") == [5]


def test_a_new_file_begins_with_what_its_group_takes_next(folder: Folder, play: Play) -> None:
    first = play(folder.load().handlers, signals=filed)
    first.handle(PageViewed(n=1))
    folder.write("31.py", noting("late"))
    second = deployed(play, first, folder)
    second.handle(PageViewed(n=2))
    assert second.effects("late") == [2]


def test_a_file_in_a_group_that_is_new_begins_where_new_groups_do(folder: Folder, play: Play) -> None:
    """`view` is in a group with another name; the file's own group has never read anything."""
    on = Handlers("shop")
    on(PageViewed, group="views", name="view")(lambda event: None)
    first = play(on, signals=filed)
    first.handle(PageViewed(n=1))
    folder.write("31.py", noting("own"))
    folder.write("31-same.py", noting("same", "GROUP = 'views'"))
    second = next_version(play, stopped(first), folder.load(on).handlers, signals=filed)
    second.handle(PageViewed(n=2))
    assert (second.effects("own"), second.effects("same")) == ([1, 2], [2])
