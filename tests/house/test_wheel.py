"""What the packages are built into."""

from __future__ import annotations

import os
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


def files_of_the_roots() -> set[str]:
    """Templates, static files and all else that is no module."""
    found = (path for root in ROOTS for path in (HOME / root).glob("oyez/**/*") if path.is_file())
    return {
        path.relative_to(HOME).as_posix().split("/", 1)[1]
        for path in found
        if "__pycache__" not in path.parts
    }


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(HOME)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=170, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(folder.glob("*.whl"))


def test_the_wheel_has_the_three_packages_pytests_module_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert "oyez/__init__.py" not in names
    assert files_of_the_roots() <= set(names)
    for root in ROOTS:
        shipped = {name for name in names if name.startswith(f"oyez/{root}/") and name.endswith(".py")}
        assert shipped == {source.relative_to(HOME / root).as_posix() for source in sources(root)}
        assert f"oyez/{root}/py.typed" in names
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"oyez", "pytest_oyez.py"}


def test_its_plugin_takes_no_names_from_the_projects_that_pytest_runs_in(wheel: Path, tmp_path: Path) -> None:
    """pytest takes the packages in a namespace for packages at the top: a project's own `schemas` is none of ours."""
    zipfile.ZipFile(wheel).extractall(tmp_path / "installed")
    (tmp_path / "schemas.py").write_text("")
    (tmp_path / "test_own.py").write_text("def test_own():\n    pass\n")
    program = (
        'import sys, schemas, pytest; sys.exit(pytest.main(["-q", "-W", "error", "-p", "no:cacheprovider"]))'
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "installed")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
