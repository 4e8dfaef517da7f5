"""Signals, and a folder to write event files for them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent

from sqlalchemy.orm import Session

from consumers.pipeline import note
from oyez.consumers import Handlers
from oyez.consumers.handler_files import Loaded, load_event_files
from oyez.schemas import Catalogue, Signal

filed = Catalogue()


seen: list[int] = []
"""For event files to leave something; a test begins with an empty one."""


class AccountOpened(Signal, name="account.opened", number=2, key="owner", subject="owner", catalogue=filed):
    owner: str


class ItemNew(
    Signal, name="item.new", number=3, key="owner", requires={AccountOpened: "owner"}, catalogue=filed
):
    owner: str
    n: int = 0


class Page(Signal, name="page", number=30, catalogue=filed):
    n: int = 0


class PageViewed(Signal, name="page.viewed", number=31, key="k", catalogue=filed):
    k: str = "k"
    n: int = 0


class PageViewedOn(Signal, name="page.viewed-on", catalogue=filed):
    n: int = 0


both = Catalogue()


class A(Signal, name="a", number=1, subject="s", catalogue=both):
    s: str
    t: str


class B(Signal, name="b", number=2, subject="s", catalogue=both):
    s: str
    t: str


class Folder:
    """A folder of event files."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(exist_ok=True)

    def write(self, name: str, text: str = "def handle(event): ...") -> Path:
        """Write a file that nobody has run yet."""
        file = self.path / name
        file.write_text(dedent(text))
        sys.modules.pop(f"oyez_events.{file.stem}", None)
        return file

    def load(self, on: Handlers | None = None) -> Loaded:
        return load_event_files(on or shop(), self.path, filed)

    def broken(self) -> dict[str, str]:
        """The reason of each broken file, by its name."""
        return {one.file.name: one.reason for one in self.load().broken}

    def sound(self) -> list[str]:
        """The handlers from files, in their order."""
        return [one.name for one in self.load().handlers if one.file is not None]


def noting(who: str, more: str = "") -> str:
    """An event file that leaves effects."""
    return f"""
from sqlalchemy.orm import Session
from consumers.pipeline import note
{more}
def handle(event, db: Session):
    note(db, {who!r}, event.n)
"""


def shop() -> Handlers:
    """An application that opens accounts, and shows pages."""
    on = Handlers("shop")

    @on(AccountOpened)
    def open_account(opened: AccountOpened, db: Session) -> None:
        note(db, "open_account", 0)

    @on(PageViewed)
    def view(viewed: PageViewed, db: Session) -> None:
        note(db, "view", viewed.n)

    return on


@contextmanager
def mode(path: Path, number: int) -> Iterator[None]:
    """The path with these permissions."""
    before = path.stat().st_mode
    path.chmod(number)
    yield
    path.chmod(before)
