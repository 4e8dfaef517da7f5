"""A heartbeat is what was written, whole, or none; it costs who reads it nothing but the standard library."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oyez.consumers.health.beat import LINES, LONGEST, SIZE, Beat, as_bytes, born_at, is_alive, read
from oyez.consumers.health.writing import File
from support.waiting import eventually

TEXT = st.text(max_size=2 * LONGEST)
BEAT = Beat("shop.page.viewed[0]", 1, 2, 120.0, 3.0, 3.0, 3.0, "working", 1.0)


@given(TEXT, TEXT, st.lists(TEXT, max_size=2 * LINES))
def test_it_has_one_size_whatever_is_said(name: str, why: str, halted: list[str]) -> None:
    said = as_bytes(BEAT._replace(name=name, why=why, waits=why, halted=tuple(halted)))
    assert len(said) == SIZE


@given(name=TEXT, why=TEXT, turned=st.floats(0, 1e9))
def test_it_is_read_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, name: str, why: str, turned: float
) -> None:
    path = str(tmp_path_factory.mktemp("beat") / "0")
    file = File(path)
    beat = BEAT._replace(name=name[:99], why=why[:99], turned=turned)
    file.write(beat)
    file.close()
    assert read(path) == beat


def test_while_it_is_written_it_is_read_whole(tmp_path: Path) -> None:
    path = str(tmp_path / "0")
    file, over = File(path), threading.Event()

    def write() -> None:
        n = 0
        while not over.is_set():
            n += 1
            file.write(BEAT._replace(name=f"w{n}", why="y" * (n % LONGEST), turned=float(n)))

    writing = threading.Thread(target=write)
    writing.start()
    eventually(lambda: read(path) is not None)
    for _ in range(2_000):
        found = read(path)
        assert found is None or found.name == f"w{found.turned:.0f}"
    over.set()
    writing.join()


@pytest.mark.parametrize("content", [b"", b"\0" * SIZE, b"00000000 {}", b"no beat"])
def test_what_is_no_beat_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "0").write_bytes(content)
    assert read(str(tmp_path / "0")) is None
    assert read(str(tmp_path / "nothing")) is None


def test_a_process_is_told_from_another_one_of_its_number() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    born = born_at(child.pid)
    assert is_alive(child.pid, born)
    assert not is_alive(child.pid, born + 1)
    child.communicate()
    assert not is_alive(child.pid, born)
    assert not is_alive(0, 0)
    assert is_alive(os.getpid(), born_at(os.getpid()))


ASKING = """
import sys
sys.argv = ["oyez", "healthy"]
from oyez.consumers.cli import main
try:
    main()
except SystemExit:
    pass
names = {name.partition(".")[0] for name, module in sys.modules.items() if getattr(module, "__file__", None)}
print(*sorted(names - sys.stdlib_module_names))
"""


def test_who_asks_imports_nothing_but_the_standard_library(tmp_path: Path) -> None:
    """-S: what is installed here beside it may hook into every start of Python."""
    folders = [str(Path(__file__).parents[3] / root) for root in ("schemas", "producers", "consumers")]
    env = {"PYTHONPATH": os.pathsep.join(folders), "OYEZ_HEALTH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-S", "-c", ASKING], env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.splitlines()[-1] == "oyez", done.stdout + done.stderr
    assert "pathlib" not in done.stdout


def test_times_are_of_a_clock_that_all_processes_share() -> None:
    said = subprocess.run(
        [sys.executable, "-c", "import time; print(time.monotonic())"],
        capture_output=True,
        text=True,
        check=True,
    )
    before = time.monotonic()
    assert float(said.stdout) <= before


def test_a_process_that_has_ended_is_not_alive_before_its_parent_asks() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    born = born_at(child.pid)
    child.kill()
    eventually(lambda: not is_alive(child.pid, born))
    child.wait()
