"""The spool: a durable log in local files, written by any number of processes and threads of a host at once.

A folder holds one log: segments that are only appended to, one CloudEvent a line. A position in it is a number of
bytes since the beginning of the log, and goes on from segment to segment.
"""

from .finding import check_readable, found_in, is_folder
from .folder import Folder, SpoolError
from .names import SegmentName
from .reader import BytesMissing, LogReader
from .retiring import ARCHIVE, RETENTION, retire
from .segments import Segment, Segments
from .syncing import FSYNC
from .transport import SpoolTransport
from .writer import Writer

__all__ = [
    "ARCHIVE",
    "FSYNC",
    "RETENTION",
    "BytesMissing",
    "Folder",
    "LogReader",
    "Segment",
    "SegmentName",
    "Segments",
    "SpoolError",
    "SpoolTransport",
    "Writer",
    "check_readable",
    "found_in",
    "is_folder",
    "retire",
]
