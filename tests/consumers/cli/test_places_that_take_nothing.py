"""Folders that may not be written, and disks that are full: one line, and nothing is lost that was there."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from consumers.cli.running import OYEZ, Shop, one_line
from support.mounts import can_mount, unshare
from support.unprivileged import modes_count

TICK = ["announce", "cli.ticked", "-d", "{}"]


def test_a_spool_that_may_not_be_written(spooled_shop: Shop) -> None:
    spool = spooled_shop.folder / "spool"
    spool.mkdir(mode=0o500)
    one_line(
        spooled_shop.run(*TICK, before=modes_count), 1, "was not announced", "spool", "Permission denied"
    )
    spool.chmod(0o700)
    spooled_shop.print(*TICK)
    (topic,) = spool.iterdir()
    for path in [*topic.iterdir(), topic]:
        path.chmod(0o500 if path.is_dir() else 0o400)
    one_line(
        spooled_shop.run(*TICK, before=modes_count), 1, "was not announced", "spool", "Permission denied"
    )
    topic.chmod(0o700)


def test_a_database_that_may_not_be_made(spooled_shop: Shop) -> None:
    folder = spooled_shop.folder / "database"
    folder.mkdir(mode=0o500)
    done = spooled_shop.run("db", "upgrade", "--database", f"sqlite:///{folder}/oyez.db", before=modes_count)
    one_line(done, 5, "unable to open database file", "may it be written")


def test_a_working_directory_that_is_gone(spooled_shop: Shop) -> None:
    gone = spooled_shop.folder / "gone"
    for command in (["db", "check"], ["signals"], ["spool", "status", "/"]):
        gone.mkdir()
        done = subprocess.run(
            ["sh", "-c", 'rmdir ../gone; exec "$0" "$@"', OYEZ, *command],
            cwd=gone,
            env=spooled_shop.environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        one_line(done, 2, "the working directory is gone")
    assert spooled_shop.print("--version").startswith("oyez ")


FULL = """
set -eu
mount -t tmpfs -o size=600k tmpfs "$1"
cd "$1"
"$2" db upgrade
"$2" announce cli.ticked -d '{}'
dd if=/dev/zero of=fill bs=1k 2>/dev/null || true
url=$(head -c 900 /dev/zero | tr '\\0' x)
for number in 1 2 3 4 5 6 7 8 9; do
    "$2" announce 903 -d "{\\"session_id\\": \\"s\\", \\"url\\": \\"$url\\"}" || echo "refused"
done
"$2" sweep && exit 99
rm fill
"$2" announce cli.ticked -d '{}'
"$2" spool verify
"$2" sweep
"""


@pytest.mark.skipif(
    not can_mount(), reason="needs root, or a kernel that lets users have namespaces: unshare"
)
def test_a_disk_that_is_full(spooled_shop: Shop, tmp_path: Path) -> None:
    """A real one, of 600 kB. What was announced is there, and is handled once there is room."""
    place = tmp_path / "full"
    place.mkdir()
    environment = {**spooled_shop.environment(), "OYEZ_DATABASE": "sqlite:///oyez.db"}
    done = subprocess.run(
        [*unshare(), "sh", "-c", FULL, "sh", str(place), OYEZ],
        env=environment,
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert "No space left on device; nothing was recorded" in done.stderr
    assert "refused" in done.stdout
    assert "clishop.cli.ticked\t2\t0\t0\t0\t0" in done.stdout
