"""How the project is put together: who imports whom, what the wheel has in it, what it depends on."""

import ast
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement

HOME = Path(__file__).parents[1]
ROOTS = ("schemas", "producers", "consumers")  # each may import those before it
MOST_LINES = 300
CORE = {
    "alembic",
    "confluent-kafka",
    "pydantic",
    "pydantic-settings",
    "rich",
    "sqlalchemy",
    "typer",
    "uuid-utils",
}
PROJECT = tomllib.loads((HOME / "pyproject.toml").read_text())["project"]


def sources(root: str) -> list[Path]:
    found = sorted((HOME / root / "oyez").rglob("*.py"))
    assert found, f"no sources in {root}"
    return found


def imported(source: Path) -> Iterator[str]:
    """The full names of the modules that a file imports, wherever in the file."""
    package = source.relative_to(HOME).parts[1:-1]
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join((*above, *filter(None, [node.module])))
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("root", ROOTS)
def test_imports_go_one_way(root: str) -> None:
    above = {f"oyez.{later}" for later in ROOTS[ROOTS.index(root) + 1 :]}
    wrong = [
        f"{source.relative_to(HOME)} imports {name}"
        for source in sources(root)
        for name in imported(source)
        if ".".join(name.split(".")[:2]) in above
    ]
    assert wrong == []


def test_the_namespace_is_nobodys() -> None:
    # With one, an editable install finds only the first root, and a wheel hides that.
    assert [root for root in ROOTS if (HOME / root / "oyez" / "__init__.py").exists()] == []


@pytest.mark.parametrize("root", ROOTS)
def test_types_are_announced(root: str) -> None:
    assert (HOME / root / "oyez" / root / "py.typed").exists()


def folders() -> list[str]:
    """Where Python files are written: none that is hidden, and none that a build has made."""
    found = [folder.name for folder in HOME.iterdir() if folder.is_dir() and folder.name[0] != "."]
    return sorted(
        name for name in found if name not in {"build", "dist"} and any((HOME / name).rglob("*.py"))
    )


@pytest.mark.parametrize("folder", folders())
def test_no_file_is_long(folder: str) -> None:
    lengths = {
        str(source.relative_to(HOME)): len(source.read_text().splitlines())
        for source in (HOME / folder).rglob("*.py")
    }
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES} == {}


def test_no_folder_is_left_out() -> None:
    assert {*ROOTS, "benchmarks", "examples", "tests"} <= set(folders())
    assert list(HOME.glob("*.py")) == []


def requirements() -> list[str]:
    extras = PROJECT["optional-dependencies"].values()
    return [*PROJECT["dependencies"], *(requirement for extra in extras for requirement in extra)]


@pytest.mark.parametrize("requirement", requirements())
def test_a_dependency_is_capped(requirement: str) -> None:
    assert any(specifier.operator in {"<", "<=", "=="} for specifier in Requirement(requirement).specifier)


def test_the_core_is_small() -> None:
    assert {Requirement(requirement).name for requirement in PROJECT["dependencies"]} == CORE


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
