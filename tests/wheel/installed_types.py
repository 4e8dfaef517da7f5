"""Checks tests/typing_project with mypy strict against the installed wheel: `python installed_types.py DIST`.

The wheel is installed by itself in a fresh environment, away from the sources; the packages that it needs
are those of the environment that runs this.
"""

import os
import subprocess
import sys
import sysconfig
import tempfile
import venv
import zipfile
from pathlib import Path

PROJECT = Path(__file__).parents[1] / "typing_project"


def environment_with(wheel: Path, folder: Path) -> Path:
    """A fresh environment with this wheel in it; its interpreter."""
    venv.create(folder, symlinks=True)
    installed = next(folder.glob("lib/python*/site-packages"))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
    # A path in a .pth file is not searched for further .pth files, so our editable install stays out of it.
    (installed / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "bin" / "python"


def main(dist: Path) -> int:
    wheel = next(dist.resolve().glob("*.whl"))
    with tempfile.TemporaryDirectory() as folder:
        python = environment_with(wheel, Path(folder, "venv"))
        command = [sys.executable, "-m", "mypy", "--python-executable", str(python)]
        options = ["--config-file", str(PROJECT / "mypy.ini"), "--cache-dir", str(Path(folder, "cache"))]
        clean = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "MYPYPATH")}
        return subprocess.run([*command, *options, "."], cwd=PROJECT, env=clean, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
