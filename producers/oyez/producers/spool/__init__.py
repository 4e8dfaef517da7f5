"""The spool: a durable log in local files, written by any number of processes and threads of a host at once.

A folder holds one log: segments that are only appended to, one CloudEvent a line. A position in it is a number of
bytes since the beginning of the log, and goes on from segment to segment.

What is named here is imported when it is used: who looks at a spool needs not what writes to it.
"""

from typing import TYPE_CHECKING

from ..when_used import names_when_used

if TYPE_CHECKING:
    from .finding import check_readable, copies_in, found_in, is_folder, own_spool
    from .folder import Folder, SpoolError
    from .forgetting import Forgotten, forget
    from .names import SegmentName
    from .reader import BytesMissing, LogReader
    from .retiring import ARCHIVE, RETENTION, retire
    from .segments import Segment, Segments
    from .settled import SettledReader
    from .syncing import FSYNC
    from .transport import SpoolTransport
    from .writer import Writer

__all__ = [
    "ARCHIVE",
    "FSYNC",
    "RETENTION",
    "BytesMissing",
    "Folder",
    "Forgotten",
    "LogReader",
    "Segment",
    "SegmentName",
    "Segments",
    "SettledReader",
    "SpoolError",
    "SpoolTransport",
    "Writer",
    "check_readable",
    "copies_in",
    "forget",
    "found_in",
    "is_folder",
    "own_spool",
    "retire",
]

if not TYPE_CHECKING:  # a type checker would believe that every name is there
    __getattr__, __dir__ = names_when_used(
        __name__,
        {
            "ARCHIVE": ".retiring",
            "BytesMissing": ".reader",
            "FSYNC": ".syncing",
            "Folder": ".folder",
            "Forgotten": ".forgetting",
            "LogReader": ".reader",
            "RETENTION": ".retiring",
            "Segment": ".segments",
            "SegmentName": ".names",
            "Segments": ".segments",
            "SettledReader": ".settled",
            "SpoolError": ".folder",
            "SpoolTransport": ".transport",
            "Writer": ".writer",
            "check_readable": ".finding",
            "copies_in": ".finding",
            "forget": ".forgetting",
            "found_in": ".finding",
            "is_folder": ".finding",
            "own_spool": ".finding",
            "retire": ".retiring",
        },
    )
