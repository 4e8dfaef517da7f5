"""Finding the logs of the spool below some directories. What may not be read is an error: it is not empty."""

from __future__ import annotations

import os
import pwd
import stat
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from .folder import IDENTITY, Folder, SpoolError, no_folder
from .names import SegmentName
from .segments import Segments

if TYPE_CHECKING:
    from ..settings import Settings

DEPTH = 4  # folders below one another in which logs are looked for
SYSTEMS = "lost+found"
"""What a file system has in its root for itself, and for root alone."""
ID_END = 32 + len(".ndjson")  # characters with which a segment's name ends
_GONE = (FileNotFoundError, NotADirectoryError)


def own_spool(settings: Settings) -> Path:
    """The folder that this process announces into."""
    return settings.spool or Path("spool")


def is_folder(path: Path) -> bool:
    """Whether a folder is there. Raises `SpoolError` if this process may not know, or something else is there."""
    try:
        is_there = stat.S_ISDIR(path.stat().st_mode)
    except FileNotFoundError:
        return False
    except NotADirectoryError:
        is_there = False
    except OSError as error:
        raise not_read(path, error) from None
    if not is_there:
        raise no_folder(path)
    return True


def _is_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return False


def refuse(error: SpoolError) -> None:
    """Raise it."""
    raise error


def found_in(
    roots: Iterable[Path], topic: str, unreadable: Callable[[SpoolError], None] = refuse
) -> list[Folder]:
    """All logs below these directories, wherever their files were copied to. Segments without a sound
    ``folder.json`` of their own count as of ``topic``. Of several copies of a log the one that goes furthest counts.

    ``unreadable`` is told of each folder that this process may not read, or that is none; unless said, it raises the
    `SpoolError`.
    """
    found = copies_in(roots, topic, unreadable).values()
    return [copies[0] if len(copies) == 1 else max(copies, key=_end) for copies in found]


def copies_in(
    roots: Iterable[Path], topic: str, unreadable: Callable[[SpoolError], None] = refuse
) -> dict[str, list[Folder]]:
    """The same logs by their ids, each with all its copies."""
    found: dict[str, list[Folder]] = {}
    for root in roots:
        try:
            is_folder(root)
        except SpoolError as error:
            unreadable(error)
            continue
        if _is_file(root / topic):
            unreadable(no_folder(root / topic))  # nobody can announce into it
        been = {_identity(root)}
        for directory, inner, files in os.walk(root, onerror=partial(_tell, unreadable), followlinks=True):
            here = Path(directory)
            if len(here.relative_to(root).parts) >= DEPTH:
                inner.clear()
            inner[:] = [name for name in sorted(inner) if name != SYSTEMS and _is_new(here / name, been)]
            try:
                for folder in _logs(here, files, topic):
                    found.setdefault(folder.log_id, []).append(folder)
            except SpoolError as error:
                unreadable(error)
    return found


def _is_new(directory: Path, been: set[tuple[int, int]]) -> bool:
    """Whether a walk was not there before: a link may lead to where it comes from."""
    identity = _identity(directory)
    is_new = identity not in been
    been.add(identity)
    return is_new


def _identity(directory: Path) -> tuple[int, int]:
    try:
        found = directory.stat()
    except OSError:
        return -1, hash(directory)  # it is gone, or may not be read: whoever walks into it hears which
    return found.st_dev, found.st_ino


def _end(folder: Folder) -> int:
    try:
        return Segments(folder.path, folder.log_id).end()
    except OSError:
        return -1


def _logs(directory: Path, files: list[str], topic: str) -> Iterator[Folder]:
    own = _opened(directory) if IDENTITY in files else None
    for log_id in sorted(_ids(files)):
        is_own = own is not None and own.log_id == log_id
        yield Folder(directory, log_id, own.topic if is_own and own is not None else topic)


def _ids(files: Iterable[str]) -> set[str]:
    """The ids of the logs that these files are segments of: of mostly one, which is told by the name's end already."""
    found: set[str] = set()
    for file in files:
        if file[-ID_END:] not in found and SegmentName.parse(file) is not None:
            found.add(file[-ID_END:])
    return {end[:32] for end in found}


def _opened(path: Path) -> Folder | None:
    """A damaged identity keeps nobody from reading: the segments' names have the UUID."""
    try:
        return Folder.open(path)
    except (SpoolError, *_GONE):
        return None
    except OSError as error:
        raise not_read(path / IDENTITY, error) from None


def check_readable(folders: Iterable[Folder]) -> None:
    """Raises `SpoolError` for a segment that this process may not read."""
    for folder in folders:
        for segment in Segments(folder.path, folder.log_id).all():
            try:
                os.close(os.open(segment.path, os.O_RDONLY))
            except _GONE:
                continue
            except OSError as error:
                raise not_read(segment.path, error) from None


def not_read(path: Path, error: OSError) -> SpoolError:
    """What is said of a folder or a file that cannot be read, and to whom."""
    where = Path(error.filename or path).absolute()
    return SpoolError(
        f"the spool cannot be read: {where}: {error.strerror}; this process is the user {_user()}: run it as the one "
        f"who announces into the spool, or let this one read it"
    )


def _tell(unreadable: Callable[[SpoolError], None], error: OSError) -> None:
    """What has just gone, or is not there yet, is no error."""
    if not isinstance(error, _GONE):
        unreadable(not_read(Path(), error))


def _user() -> str:
    number = os.geteuid()
    try:
        return f"{pwd.getpwuid(number).pw_name} ({number})"
    except KeyError:
        return str(number)
