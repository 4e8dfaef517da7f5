"""Finding the user's code: every failure is one line that says what to do."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from consumers.pipeline import one_line
from oyez.consumers import Application, ListenSettings, StartError, load_application
from oyez.consumers.run.loading import AppError, load_handlers
from oyez.producers import SettingsError
from oyez.schemas import OyezError

GOOD = """
    from oyez.consumers import Handlers
    on = Handlers("shop")
    also = Handlers("bar")
    other = 3
"""

Write = Callable[..., None]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Writes modules into the working directory; what they import is forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    before = set(sys.modules)

    def make(name: str, text: str = GOOD) -> None:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text))

    yield make
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) is None or str(tmp_path) in str(
            sys.modules[name].__file__
        ):
            del sys.modules[name]


def refused(path: str | None, *parts: str, kind: type[OyezError] = AppError) -> str:
    with pytest.raises(kind) as caught:
        load_handlers(path)
    return one_line(caught.value, *parts)


def test_a_module_in_the_working_directory(write: Write) -> None:
    write("tst_shop.py")
    assert load_handlers("tst_shop:on").app == "shop"
    assert load_handlers("tst_shop:also").app == "bar"


def test_a_module_in_a_package(write: Write) -> None:
    write("tst_pack/__init__.py", "")
    write("tst_pack/handlers.py")
    assert load_handlers("tst_pack.handlers:on").app == "shop"


@pytest.mark.parametrize("path", [None, ""])
def test_no_path(path: str | None) -> None:
    refused(path, "no application", "--app module:handlers", "OYEZ_APP", kind=SettingsError)


@pytest.mark.parametrize(
    "path",
    [
        "shop",
        "shop:",
        ":on",
        "shop.py:on",
        "shop/handlers:on",
        "./shop:on",
        ".shop:on",
        "a b:on",
        "shop:on:x",
        "shop..x:on",
    ],
)
def test_a_path_that_is_none(path: str, write: Write) -> None:
    write("shop.py")
    refused(path, f"--app {path!r}", "module:handlers", "shop.handlers:on", kind=SettingsError)


def test_no_such_module(write: Write, tmp_path: Path) -> None:
    refused("tst_nowhere:on", "there is no module tst_nowhere", str(tmp_path), "--app or OYEZ_APP")


def test_no_such_module_in_a_package(write: Write) -> None:
    write("tst_pack2/__init__.py", "")
    refused("tst_pack2.handlers:on", "there is no module tst_pack2.handlers")
    refused("tst_no_pack.handlers:on", "there is no module tst_no_pack ")


def test_something_that_the_module_imports_is_missing(write: Write) -> None:
    write("tst_missing.py", "x = 1\nimport tst_absent\n")
    refused(
        "tst_missing:on",
        "tst_missing cannot be imported",
        "No module named 'tst_absent'",
        "tst_missing.py, line 2",
    )


def test_a_sibling_that_the_module_imports_is_missing(write: Write) -> None:
    write("tst_pack3/__init__.py", "")
    write("tst_pack3/handlers.py", "from tst_pack3 import signals_of_mine\nimport tst_pack3.absent\n")
    refused("tst_pack3.handlers:on", "cannot be imported", "signals_of_mine", "handlers.py, line 1")
    write("tst_pack3/other.py", "import tst_pack3.absent\n")
    refused("tst_pack3.other:on", "cannot be imported", "tst_pack3.absent", "other.py, line 1")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("x = 1\ndef f(:\n", ("SyntaxError", "line 2")),
        ("x = 1\n\nraise ValueError('two\\nlines')\n", ("ValueError: two lines", "line 3")),
        ("raise ValueError\n", ("ValueError (", "line 1")),
        ("assert False\n", ("AssertionError (", "line 1")),
        ("import sys\nsys.exit(3)\n", ("SystemExit: 3", "line 2")),
        ("exit()\n", ("SystemExit",)),
        ("def f():\n    g()\ndef g():\n    1 / 0\nf()\n", ("ZeroDivisionError", "line 4")),
        ("import json\njson.loads('{')\n", ("JSONDecodeError", "line 2")),
        (
            "x = '\\x00'\nimport os\nos.environ['NOT_SET_ANYWHERE']\n",
            ("KeyError: 'NOT_SET_ANYWHERE'", "line 3"),
        ),
    ],
)
def test_a_module_that_fails(text: str, parts: tuple[str, ...], write: Write) -> None:
    write("tst_fails.py", text)
    refused("tst_fails:on", "tst_fails cannot be imported", "tst_fails.py", *parts)


def test_bytes_that_are_no_text(write: Write, tmp_path: Path) -> None:
    (tmp_path / "tst_bytes.py").write_bytes(b"x = '\xff'\n")
    refused("tst_bytes:on", "tst_bytes cannot be imported", "tst_bytes.py")


def test_a_wrong_handler_keeps_its_own_message(write: Write) -> None:
    write(
        "tst_wrong.py",
        """
        from oyez.consumers import Handlers
        from oyez.schemas import Signal
        class Done(Signal, name="tst.done"):
            n: int
        on = Handlers("shop")
        @on(Done)
        async def done(event: Done) -> None:
            yield
        """,
    )
    refused("tst_wrong:on", "tst_wrong.done", "generator handlers are not supported", kind=OyezError)


def test_a_name_that_is_not_there(write: Write) -> None:
    write("tst_names.py")
    refused("tst_names:handlers", "--app tst_names:handlers", "it has no handlers", "there is on, also")
    refused(
        "tst_names:other", "--app tst_names:other", "no Handlers object but of type int", "there is on, also"
    )


def test_a_module_without_handlers(write: Write) -> None:
    write("tst_empty.py", "x = 1\n")
    refused("tst_empty:on", "it has no on", 'on = Handlers("shop")')


def test_the_application_is_checked(write: Write) -> None:
    write("tst_unused.py")
    with pytest.raises(StartError) as caught:
        load_application(ListenSettings(app="tst_unused:on"))
    one_line(caught.value, "shop has no handlers")


def test_an_application(write: Write) -> None:
    write(
        "tst_whole.py",
        """
        from oyez.consumers import Handlers
        from oyez.schemas import Signal
        class Finished(Signal, name="tst.finished"):
            n: int
        on = Handlers("shop")
        @on(Finished)
        def done(event: Finished) -> None: ...
        """,
    )
    found = load_application(ListenSettings(app="tst_whole:on"))
    assert isinstance(found, Application)
    assert list(found.groups) == ["shop.tst.finished"]
