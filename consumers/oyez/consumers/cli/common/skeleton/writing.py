"""Writing a small application into an empty folder."""

from __future__ import annotations

import keyword
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from string import Template

from ..errors import UsageProblem

FILES: Mapping[str, str] = {
    "$module.py": "application.py.txt",
    "test_$module.py": "test_application.py.txt",
    "oyez.toml": "oyez.toml.txt",
    "Makefile": "Makefile.txt",
    "compose.yaml": "compose.yaml.txt",
    "README.md": "README.md.txt",
    "requirements.txt": "requirements.txt.txt",
    ".gitignore": "gitignore.txt",
}
"""What is written, and what from."""
TAKEN = sys.stdlib_module_names | {"oyez", "pytest", "pytest_oyez", "sqlalchemy", "tests"}
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,49}")
_SOURCES = Path(__file__).parent / "files"


def module_for(name: str) -> str:
    """The module of an application of this name. Raises `UsageProblem` for a name that it cannot have."""
    module = name.replace("-", "_")
    if _NAME.fullmatch(name) is None or keyword.iskeyword(module):
        raise UsageProblem(
            f"{name!r}: a name begins with a small letter, has small letters, digits, - and _, and is no keyword"
        )
    if module in TAKEN:
        raise UsageProblem(f"{name!r}: there is a module {module} already; choose another name")
    return module


def write(folder: Path) -> list[Path]:
    """Make the folder, and write the application that has its name; the files. Raises `UsageProblem` for a folder that
    is not empty, and for a name that no application can have."""
    module = module_for(folder.name)
    _require_empty(folder)
    said = {"name": folder.name, "module": module}
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, source in FILES.items():
            path = folder / Template(name).substitute(said)
            text = Template((_SOURCES / source).read_text(encoding="utf-8")).substitute(said)
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
            written.append(path)
    except OSError as error:
        raise UsageProblem(f"{error.filename or folder}: {error.strerror}") from None
    return written


def _require_empty(folder: Path) -> None:
    try:
        if folder.is_dir() and not any(folder.iterdir()):
            return
        if not folder.exists() and not folder.is_symlink():
            return
    except OSError as error:
        raise UsageProblem(f"{folder}: {error.strerror}") from None
    what = "the folder is not empty" if folder.is_dir() else "there is a file of this name"
    raise UsageProblem(f"{folder}: {what}; nothing was written")
