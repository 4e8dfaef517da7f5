"""What the packages are built into."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from house.imports import HOME, sources
from house.order import ROOTS


def test_the_namespace_is_nobodys() -> None:
    # With one, an editable install finds only the first root, and a wheel hides that.
    assert [root for root in ROOTS if (HOME / root / "oyez" / "__init__.py").exists()] == []


@pytest.mark.parametrize("root", ROOTS)
def test_types_are_announced(root: str) -> None:
    assert (HOME / root / "oyez" / root / "py.typed").exists()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(HOME)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=170, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(folder.glob("*.whl"))


def test_the_wheel_has_the_three_packages_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert "oyez/__init__.py" not in names
    for root in ROOTS:
        shipped = {name for name in names if name.startswith(f"oyez/{root}/") and name.endswith(".py")}
        assert shipped == {source.relative_to(HOME / root).as_posix() for source in sources(root)}
        assert f"oyez/{root}/py.typed" in names
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"oyez"}
