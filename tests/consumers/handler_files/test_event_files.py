"""Event files: which signal each is for, what it may ask for, and in which order they run."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, select
from sqlalchemy.orm import Session

from consumers.handler_files import event_folder
from consumers.handler_files.event_folder import (
    AccountOpened,
    Folder,
    ItemNew,
    PageViewed,
    filed,
    noting,
    shop,
)
from consumers.pipeline import Pipeline, Play, effects
from oyez.consumers import Application, Backoff, Handlers
from oyez.consumers.handlers.registry import Handler
from oyez.consumers.handlers.signature import Form


def handler(folder: Folder, name: str) -> Handler:
    loaded = folder.load()
    assert loaded.broken == ()
    return Application(loaded.handlers, filed).groups[_group(loaded.handlers, name)].by_name[name]


def _group(on: Handlers, name: str) -> str:
    return next(one.group for one in on if one.name == name)


@pytest.mark.parametrize(
    ("name", "signal"),
    [
        ("3.py", "item.new"),
        ("3_mydata.py", "item.new"),
        ("3-crm.py", "item.new"),
        ("3.awards.py", "item.new"),
        ("003.py", "item.new"),
        ("31.py", "page.viewed"),
        ("30_1.py", "page"),
        ("page.py", "page"),
        ("page_views.py", "page"),
        ("page.viewed.py", "page.viewed"),
        ("page.viewed-award.py", "page.viewed"),
        ("page.viewed_on.py", "page.viewed"),
        ("page.viewed-on.py", "page.viewed-on"),
        ("page.viewed-on.again.py", "page.viewed-on"),
        ("page.views.py", "page"),
    ],
)
def test_the_signal_that_a_name_begins_with(folder: Folder, name: str, signal: str) -> None:
    folder.write(name)
    assert handler(folder, name).declaration.name == signal


@pytest.mark.parametrize("name", ["_shared.py", "__init__.py", ".3.py", "3.txt", "3.py~", "3", "3.php"])
def test_what_is_no_event_file(folder: Folder, name: str) -> None:
    folder.write(name, "raise AssertionError('it was run')")
    (folder.path / "3.d.py").mkdir()
    assert (folder.sound(), folder.broken()) == ([], {})


def test_defaults(folder: Folder) -> None:
    folder.write("3.py")
    found = handler(folder, "3.py")
    assert found.group == "shop.item.new"
    assert (found.ordered, found.completes, dict(found.requires)) == (
        True,
        False,
        {"account.opened": "owner"},
    )
    assert (found.signature.form, found.signature.injected) == (Form.MODEL, {})


def test_what_a_file_asks_for(folder: Folder) -> None:
    folder.write(
        "3.py",
        """
        from sqlalchemy import Connection
        from sqlalchemy.orm import Session
        from oyez.consumers import Backoff
        ORDER, BATCH, REQUIRES, COMPLETES, GROUP = "none", True, {}, True, "awards"
        RETRY = Backoff(attempts=3)
        def handle(events, db: Session, other: Connection): ...
        """,
    )
    found = handler(folder, "3.py")
    assert (found.ordered, found.completes, dict(found.requires), found.group) == (
        False,
        True,
        {},
        "shop.awards",
    )
    assert found.retry == Backoff(attempts=3)
    assert (found.signature.form, found.signature.injected) == (
        Form.MODELS,
        {"db": Session, "other": Connection},
    )


def test_requirements_by_class_and_by_name(folder: Folder) -> None:
    folder.write("31.py", "REQUIRES = {'account.opened': 'k'}\ndef handle(event): ...")
    folder.write(
        "31-2.py",
        """
        from consumers.handler_files.event_folder import AccountOpened
        REQUIRES = {AccountOpened: "k"}
        def handle(event): ...
        """,
    )
    for name in ("31.py", "31-2.py"):
        assert dict(handler(folder, name).requires) == {AccountOpened.__oyez__.name: "k"}


@pytest.mark.parametrize(
    ("annotation", "batch", "form"),
    [
        ("PageViewed", "None", Form.MODEL),
        ("Event[PageViewed]", "False", Form.EVENT),
        ("list[PageViewed]", "None", Form.MODELS),
        ("list[Event[PageViewed]]", "True", Form.EVENTS),
    ],
)
def test_an_annotated_event(folder: Folder, annotation: str, batch: str, form: Form) -> None:
    folder.write(
        "31.py",
        f"""
        from consumers.handler_files.event_folder import PageViewed
        from oyez.schemas import Event
        BATCH = {batch}
        def handle(event: {annotation}): ...
        """,
    )
    assert handler(folder, "31.py").signature.form is form


def test_the_order_is_that_of_the_code_points_after_the_decorated(folder: Folder) -> None:
    names = ["31_b.py", "31.py", "31-z.py", "31.a.py", "page.viewed.py", "31_B.py", "031.py"]
    for name in names:
        folder.write(name)
    assert folder.sound() == [
        "031.py",
        "31-z.py",
        "31.a.py",
        "31.py",
        "31_B.py",
        "31_b.py",
        "page.viewed.py",
    ]
    assert [one.name for one in folder.load().handlers][:2] == ["open_account", "view"]


def test_they_run_in_that_order_each_time(folder: Folder, play: Play) -> None:
    for name in ("page.viewed.py", "31.py", "31-first.py"):
        folder.write(name, noting(name))
    pipeline = play(folder.load().handlers, signals=filed)
    order = []
    for n in (1, 2):
        pipeline.handle(PageViewed(n=n))
        order.append([who for _, who, of in pipeline_effects(pipeline) if of == n])
    assert order == [["view", "31-first.py", "31.py", "page.viewed.py"]] * 2


def pipeline_effects(pipeline: Pipeline) -> list[tuple[int, str, int]]:
    with pipeline.engine.connect() as db:
        return [tuple(row) for row in db.execute(select(effects).order_by(effects.c.seq))]


def test_the_handlers_given_stay_as_they_are(folder: Folder) -> None:
    folder.write("31.py")
    on = shop()
    for _ in range(
        2
    ):  # a process may load its application twice: for the command, and for the inline transport
        assert len(list(folder.load(on).handlers)) == 3
    assert len(list(on)) == 2


def test_a_process_runs_a_file_once(folder: Folder) -> None:
    folder.write(
        "31.py",
        "from consumers.handler_files import event_folder as here\nhere.seen.append(1)\ndef handle(event): ...",
    )
    folder.load()
    folder.load()
    assert len(event_folder.seen) == 1


def test_each_fails_waits_and_runs_again_alone(folder: Folder, play: Play) -> None:
    folder.write("31-a.py", noting("a"))
    folder.write(
        "31-b.py",
        "from consumers.handler_files import event_folder as here\ndef handle(event): here.seen.remove(event.n)",
    )
    pipeline = play(folder.load().handlers, signals=filed)
    pipeline.handle(PageViewed(n=1))
    assert [(name, n) for name, n, _ in pipeline.parked()] == [("31-b.py", 1)]
    assert pipeline.effects() == [1, 1]
    event_folder.seen.append(1)
    pipeline.later()
    assert (pipeline.is_clean(), event_folder.seen) == (True, [])
    assert pipeline.effects() == [1, 1]


def test_a_file_waits_for_what_its_signal_requires(folder: Folder, play: Play) -> None:
    folder.write("3.py", noting("award"))
    pipeline = play(folder.load().handlers, signals=filed)
    pipeline.handle(ItemNew(owner="ann", n=5))
    assert [(name, n) for name, n, _ in pipeline.parked()] == [("3.py", 5)]
    pipeline.handle(AccountOpened(owner="ann"))
    assert (pipeline.effects("award"), pipeline.is_clean()) == ([5], True)
