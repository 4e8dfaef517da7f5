"""Checks what is in the sdist and the wheel against what is committed: `python contents.py DIST COMMIT`."""

import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

HOME = Path(__file__).parents[2]
ROOTS = ("schemas/", "producers/", "consumers/")
OF_THE_PLACE = (".ci/", "findings/")
"""What concerns only those who work where the project is kept: no packager needs it."""


def committed(commit: str) -> set[str]:
    """The paths of all files of a commit."""
    listed = ["git", "ls-tree", "-r", "-z", "--name-only", commit]
    done = subprocess.run(listed, cwd=HOME, capture_output=True, text=True, check=True)
    return set(done.stdout.rstrip("\0").split("\0"))


def in_sdist(archive: Path) -> set[str]:
    """The paths below the sdist's one folder, without the metadata that the build writes."""
    with tarfile.open(archive) as opened:
        names = [name.partition("/")[2] for name in opened.getnames()]
    return {*names} - {"PKG-INFO"}


def in_wheel(archive: Path) -> set[str]:
    """The paths in the wheel, without its metadata."""
    names = zipfile.ZipFile(archive).namelist()
    return {name for name in names if not name.split("/")[0].endswith(".dist-info")}


def wanted_in_sdist(files: Iterable[str]) -> set[str]:
    """Everything that packages are built, tested and documented with."""
    return {file for file in files if not file.startswith(OF_THE_PLACE)}


def wanted_in_wheel(files: Iterable[str]) -> set[str]:
    """All files of the three packages (templates, static files and migrations too), and pytest's module."""
    return {file.split("/", 1)[1] for file in files if file.startswith(ROOTS)}


def differences(what: str, has: set[str], wanted: set[str]) -> list[str]:
    """A line for each file that is missing or too many."""
    missing = [f"{what}: {name} is missing" for name in sorted(wanted - has)]
    return missing + [f"{what}: {name} does not belong there" for name in sorted(has - wanted)]


def main(dist: Path, commit: str) -> int:
    files = committed(commit)
    sdist, wheel = next(dist.glob("*.tar.gz")), next(dist.glob("*.whl"))
    found = differences(sdist.name, in_sdist(sdist), wanted_in_sdist(files))
    found += differences(wheel.name, in_wheel(wheel), wanted_in_wheel(files))
    for line in found:
        sys.stderr.write(f"release-check: {line}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
