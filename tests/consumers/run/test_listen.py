"""`listen` for programs: which groups, on the log that is set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from consumers.pipeline import effects, note
from oyez.consumers import Application, Handlers, Listened, ListenSettings, StartError, listen
from oyez.consumers.database import make_engine
from oyez.consumers.logs.spool.folders import FolderMissing
from oyez.producers import Announcer, SettingsError
from oyez.schemas import Signal, UnknownSignal


class Sold(Signal, name="bnd.sold", number=7501, key="k"):
    k: str = "k"
    n: int = 0


class Bought(Signal, name="bnd.bought", number=7502, key="k"):
    k: str = "k"
    n: int = 0


class Unheard(Signal, name="bnd.unheard", number=7503):
    pass


def shop() -> Application:
    on = Handlers("bnd")

    @on(Sold)
    def sell(sold: Sold, db: Connection) -> None:
        note(db, "sell", sold.n)

    @on(Bought)
    def buy(bought: Bought, db: Connection) -> None:
        note(db, "buy", bought.n)

    return Application(on)


@pytest.fixture
def settings(pipeline_sqlite: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ListenSettings:
    """A spool with three events of each signal."""
    monkeypatch.chdir(tmp_path)
    made = ListenSettings(transport="spool", spool=tmp_path / "spool", database=pipeline_sqlite, source="web")
    with Announcer.from_settings(made) as announcer:
        for n in range(3):
            announcer.announce(Sold(n=n))
            announcer.announce(Bought(n=n))
    return made


def left(settings: ListenSettings, handler: str) -> list[int]:
    engine = make_engine(settings.database)
    with engine.connect() as db:
        rows = db.execute(effects.select().where(effects.c.handler == handler).order_by(effects.c.seq)).all()
    engine.dispose()
    return [row.n for row in rows]


@pytest.mark.parametrize("signal", [None, 0])
def test_any_signal(settings: ListenSettings, signal: int | None) -> None:
    """What remains is counted in records, of all signals, though the spool's offsets are bytes."""
    application = shop()
    assert listen(signal, settings=settings, application=application) == Listened(6, 0, 0)
    assert left(settings, "sell") == left(settings, "buy") == [0, 1, 2]
    assert listen(signal, settings=settings, application=application) == Listened(0, 0, 0)


@pytest.mark.parametrize("signal", [Sold, "bnd.sold", 7501])
def test_one_signal(settings: ListenSettings, signal: type[Signal] | str | int) -> None:
    application = shop()
    assert listen(signal, 2, settings=settings, application=application).handled == 2
    assert listen(signal, 2, settings=settings, application=application).remain == 0
    assert (left(settings, "sell"), left(settings, "buy")) == ([0, 1, 2], [])


def test_what_remains_in_the_spool_is_counted_in_records(settings: ListenSettings) -> None:
    assert listen(Bought, 1, settings=settings, application=shop()) == Listened(1, 4, 0)


def test_a_signal_that_nobody_handles_or_knows(settings: ListenSettings) -> None:
    with pytest.raises(StartError, match=r"bnd has no handler for bnd.unheard"):
        listen(Unheard, settings=settings, application=shop())
    with pytest.raises(UnknownSignal, match="7599"):
        listen(7599, settings=settings, application=shop())


def test_a_transport_that_leaves_nothing_to_listen_to(settings: ListenSettings) -> None:
    with pytest.raises(SettingsError, match="inline"):
        listen(settings=settings.model_copy(update={"transport": "inline"}), application=shop())


@pytest.mark.parametrize("limit", ["x", "10", None, 1.5, True])
def test_a_limit_that_is_no_number(settings: ListenSettings, limit: Any) -> None:
    with pytest.raises(TypeError) as caught:
        listen(limit=limit, settings=settings, application=shop())
    assert str(caught.value) == f"limit is {limit!r}; give a whole number of events, at least 1"


def test_a_limit_that_is_too_small_is_refused_before_anything_is_loaded(settings: ListenSettings) -> None:
    with pytest.raises(ValueError, match="limit is 0"):
        listen(limit=0, settings=settings.model_copy(update={"app": "nowhere:on"}))


@pytest.mark.parametrize("signal", [[7501], 0.0, 7501.5])
def test_what_is_no_signal(settings: ListenSettings, signal: Any) -> None:
    with pytest.raises(TypeError, match="give one signal, by its class, name or number"):
        listen(signal, settings=settings, application=shop())
    with pytest.raises(UnknownSignal, match="False"):
        listen(False, settings=settings, application=shop())


def test_a_folder_of_the_spool_that_is_not_there(settings: ListenSettings, tmp_path: Path) -> None:
    wrong = settings.model_copy(update={"spools": (tmp_path / "nowhere",)})
    with pytest.raises(FolderMissing, match="there is no folder"):
        listen(settings=wrong, application=shop())


def test_a_handler_that_moved_is_refused(settings: ListenSettings) -> None:
    """As by every process that listens: see `registration`."""
    listen(settings=settings, application=shop())
    on = Handlers("bnd")
    on(Sold, name="sell", group="moved")(lambda sold: None)
    with pytest.raises(StartError, match=r"oyez group rename bnd\.bnd\.sold bnd\.moved"):
        listen(settings=settings, application=Application(on))
