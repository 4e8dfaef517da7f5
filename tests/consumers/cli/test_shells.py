"""Completion in a shell that somebody types into: bash, on a terminal."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from consumers.cli.running import OYEZ, Shop
from oyez.consumers.cli.common.bash_words import rejoined
from support.waiting import eventually

CLEAR = "\x15"  # what readline takes for: forget the line
TYPED = {
    "oyez tail cli.s": "oyez tail cli.session.started ",
    "oyez listen cli.t": "oyez listen cli.ticked ",
    "oyez retry list --handler open": "oyez retry list --handler open_visit ",
    "oyez --app shop:on tail cli.p": "oyez --app shop:on tail cli.page.viewed ",  # bash splits at these marks
    "oyez --database=sqlite:///oyez.db pause coun": "oyez --database=sqlite:///oyez.db pause count_view ",
}


class Bash:
    """An interactive bash that has loaded the completion of `oyez`."""

    def __init__(self, shop: Shop) -> None:
        self._ours, its = pty.openpty()
        path = os.pathsep.join([str(Path(OYEZ).parent), os.environ["PATH"]])
        self._process = subprocess.Popen(
            ["bash", "--norc", "--noprofile", "-i"],
            cwd=shop.folder,
            env={**shop.environment(), "PATH": path, "PS1": "> ", "TERM": "dumb"},
            stdin=its,
            stdout=its,
            stderr=its,
            start_new_session=True,
        )
        os.close(its)
        self._said = ""
        self.type('eval "$(_OYEZ_COMPLETE=source_bash oyez)"; echo "loaded" now\n')
        eventually(lambda: "loaded now" in self.said())

    def type(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def said(self) -> str:
        while select.select([self._ours], [], [], 0)[0]:
            self._said += os.read(self._ours, 65_536).decode(errors="replace")
        return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", self._said)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._ours)


@pytest.fixture
def bash(spooled_shop: Shop) -> Iterator[Bash]:
    found = Bash(spooled_shop)
    yield found
    found.close()


def test_signals_groups_and_handlers_are_completed_in_bash(bash: Bash) -> None:
    for keys, line in TYPED.items():
        bash.type(f"{keys}\t")
        eventually(lambda line=line: line in bash.said())  # type: ignore[misc]
        bash.type(CLEAR)


@pytest.mark.parametrize(
    ("words", "at", "found", "place"),
    [
        ("oyez --app shop : on tail cli.s", 6, "oyez --app shop:on tail cli.s", 4),
        ("oyez --app = shop : on tail cli.s", 7, "oyez --app=shop:on tail cli.s", 3),
        ("oyez --database sqlite : ///a status", 5, "oyez --database sqlite:///a status", 3),
        ("oyez tail --signal = cli", 4, "oyez tail --signal = cli", 4),
        ("oyez tail --signal =", 3, "oyez tail --signal =", 3),
        ("oyez --app shop :", 3, "oyez --app shop:", 2),
    ],
)
def test_words_that_bash_has_split_are_one(words: str, at: int, found: str, place: int) -> None:
    assert rejoined(words.split(), at) == (found.split(), place)


def test_an_empty_word_is_one_of_its_own() -> None:
    assert rejoined(["oyez", "--app", "shop", ":", ""], 4) == (["oyez", "--app", "shop:", ""], 3)
