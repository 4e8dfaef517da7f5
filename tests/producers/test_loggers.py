"""A configuration of logging that does not name Oyez's loggers leaves them as they are."""

from __future__ import annotations

import logging
import logging.config
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from oyez.producers.failures import log_undelivered
from oyez.producers.loggers import logger_named
from oyez.schemas import Event
from producers.shop import Ticked
from support.services import unique


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """What a configuration does to the root, and to the loggers of others, is undone."""
    root, others = logging.getLogger(), dict(logging.root.manager.loggerDict)
    before = root.level, root.handlers[:]
    awake = {name for name, one in others.items() if isinstance(one, logging.Logger) and not one.disabled}
    yield
    root.level, root.handlers = before
    for name in awake:
        logging.getLogger(name).disabled = False


def by_dictionary(_folder: Path) -> None:
    logging.config.dictConfig({"version": 1, "root": {"level": "WARNING"}})


def by_file(folder: Path) -> None:
    """As in the `env.py` that Alembic makes."""
    (folder / "alembic.ini").write_text(
        "[loggers]\nkeys = root\n[handlers]\nkeys =\n[formatters]\nkeys =\n[logger_root]\nlevel = WARNING\nhandlers =\n"
    )
    logging.config.fileConfig(folder / "alembic.ini")


@pytest.fixture(params=[by_dictionary, by_file], ids=["dictConfig", "fileConfig"])
def configure(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], None]:
    """Configure logging in one of the standard library's ways, with its defaults, naming no logger but the root."""
    return lambda: request.param(tmp_path)


class Heard(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())


def test_it_is_heard_after_it(configure: Callable[[], None]) -> None:
    ours, other = logger_named(unique("oyez.test")), logging.getLogger(unique("other"))
    heard = Heard()
    for one in (ours, other):
        one.addHandler(heard)
    configure()
    ours.error("heard")
    other.error("silenced")
    assert heard.said == ["heard"]


def test_an_event_that_was_lost_is_told(configure: Callable[[], None]) -> None:
    heard = Heard()
    logging.getLogger("oyez").addHandler(heard)
    configure()
    lost = Event(id="e1", source="web", time=None, signal="ticked", key="k", subject=None, data=Ticked())
    log_undelivered(lost, "no broker")
    logging.getLogger("oyez").removeHandler(heard)
    assert heard.said == ["event ticked e1 (key k) did not arrive: no broker"]


def test_who_names_a_logger_has_it_as_said() -> None:
    ours = logger_named(unique("oyez.test"))
    logging.config.dictConfig({"version": 1, "loggers": {ours.name: {"level": "CRITICAL"}}})
    assert not ours.isEnabledFor(logging.ERROR)


def test_the_class_that_the_application_has_chosen_stays() -> None:
    class Own(logging.Logger):
        def own(self) -> str:
            return "own"

    before = logging.getLoggerClass()
    logging.setLoggerClass(Own)
    try:
        ours = logger_named(unique("oyez.test"))
    finally:
        logging.setLoggerClass(before)
    assert isinstance(ours, Own)
    assert type(logger_named(ours.name)) is type(ours)
    ours.disabled = True
    assert (ours.own(), ours.isEnabledFor(logging.ERROR)) == ("own", True)
