"""`oyez init`: what it writes runs at once, and it overwrites nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from consumers.cli.conftest import Invoke
from oyez.consumers.cli.common.skeleton.writing import FILES

ROOT = Path(__file__).parents[3]
IMAGES = {
    service: said["image"].partition(":-")[2].removesuffix("}")
    for service, said in yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"].items()
    if service in ("kafka", "postgres")
}


def make(folder: Path, target: str) -> str:
    """What a target of its Makefile prints."""
    # A make within the one that runs the tests would say which folder it enters, and leaves.
    others = ("OYEZ_", "MAKE", "MFLAGS")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(others)}
    here = str(Path(sys.executable).parent)
    done = subprocess.run(
        ["make", target],
        cwd=folder,
        env={**kept, "PATH": f"{here}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_runs_at_once(invoke: Invoke, tmp_path: Path) -> None:
    made = invoke("init", "my-shop")
    assert made.exit_code == 0, made.output
    assert len(made.stdout.splitlines()) == len(FILES)
    assert made.stderr.splitlines()[-1] == "oyez: now: cd my-shop && make try"
    folder = tmp_path / "my-shop"
    for times in (1, 2):
        said = make(folder, "try")
        assert "2 handled, 0 remain (0 in the log, 0 parked)\n" in said
        *_, shown = said.partition(" show\n")
        assert [line.partition(": ")[2] for line in shown.splitlines()] == ["5.00, paid"] * times
    assert "1 passed" in make(folder, "test")
    assert "make services" in make(folder, "help")
    for path in (folder / name.replace("$module", "my_shop") for name in FILES):
        assert "$module" not in path.read_text()


def test_the_services_are_those_that_are_tested(invoke: Invoke, tmp_path: Path) -> None:
    assert invoke("init", "below/shop").exit_code == 0
    services = yaml.safe_load((tmp_path / "below" / "shop" / "compose.yaml").read_text())["services"]
    assert {name: one["image"] for name, one in services.items()} == IMAGES
    for one in services.values():
        assert all(port.startswith("127.0.0.1:") for port in one["ports"])


def test_an_empty_folder_will_do_and_the_one_that_it_is_in(
    invoke: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shop1").mkdir()
    monkeypatch.chdir(tmp_path / "shop1")
    assert invoke("init", ".").stderr.splitlines()[-1] == "oyez: now: make try"
    assert (tmp_path / "shop1" / "test_shop1.py").exists()


def test_nothing_is_overwritten(invoke: Invoke, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes").write_text("mine")
    (tmp_path / "file").write_text("mine")
    (tmp_path / "lost").symlink_to("nowhere")
    for name, words in (
        ("full", "full: the folder is not empty; nothing was written"),
        ("file", "file: there is a file of this name"),
        ("lost", "lost: there is a file of this name"),
        ("file/shop", "file"),
        ("json", "there is a module json already"),
        ("oyez", "there is a module oyez already"),
        ("class", "is no keyword"),
        ("Shop", "begins with a small letter"),
        ("a b", "begins with a small letter"),
        ("..", "begins with a small letter"),
    ):
        done = invoke("init", name)
        assert (done.exit_code, done.stdout, len(done.stderr.splitlines())) == (2, "", 1), done.output
        assert words in done.stderr
    assert sorted(one.name for one in tmp_path.iterdir()) == ["file", "full", "lost"]
    assert (tmp_path / "full" / "notes").read_text() == (tmp_path / "file").read_text() == "mine"
