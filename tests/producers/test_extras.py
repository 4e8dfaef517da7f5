"""What needs an extra that is not installed says so in one line, whoever imports it."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from importlib import import_module
from pathlib import Path

import pytest

from oyez.producers import SettingsError
from oyez.producers.extras import extra

web = partial(extra, "web", "jinja2", who="a page", needs="Jinja")


@pytest.mark.parametrize(
    ("code", "missing", "words"),
    [
        (
            "from oyez.consumers.dashboard import Access, dashboard",
            "jinja2",
            "oyez.consumers.dashboard needs Starlette, Jinja and uvicorn; run: pip install 'oyez[web]'",
        ),
        (
            "from oyez.producers.collector import collector",
            "starlette",
            "oyez.producers.collector needs Starlette and uvicorn; run: pip install 'oyez[web]'",
        ),
    ],
)
def test_an_import_says_which_extra_it_needs(code: str, missing: str, words: str, tmp_path: Path) -> None:
    absent = f"raise ModuleNotFoundError(\"No module named '{missing}'\", name='{missing}')"
    (tmp_path / f"{missing}.py").write_text(absent)
    caught = f"try:\n    {code}\nexcept ImportError as error:\n    print(error)"
    done = subprocess.run(
        [sys.executable, "-c", caught],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == f"{words}\n"


def test_a_module_of_the_extra_is_told_with_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jinja2.sandbox", None)
    said = r"^a page needs Jinja; run: pip install 'oyez\[web\]'$"
    with pytest.raises(SettingsError, match=said), web():
        import_module("jinja2.sandbox")


def test_another_module_that_is_missing_is_told_as_it_is() -> None:
    with pytest.raises(ModuleNotFoundError, match="no_such_module") as raised, web():
        import_module("no_such_module")
    assert not isinstance(raised.value, SettingsError)
