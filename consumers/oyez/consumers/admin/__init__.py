"""What operators do to what is parked or dead.

Everybody locks prerequisites first, then rows; so do these.
"""

from .bulk import Operation, Step, Steps, Tally
from .discard import Discard
from .force import Force
from .overtaken import Overtaken, overtaken
from .record_met import Record, Recorded
from .release import Release
from .retry_dead import Retry
from .retry_undecodable import Decode
from .rewind import NotBegun, Rewinding, Rewound

__all__ = [
    "Decode",
    "Discard",
    "Force",
    "NotBegun",
    "Operation",
    "Overtaken",
    "Record",
    "Recorded",
    "Release",
    "Retry",
    "Rewinding",
    "Rewound",
    "Step",
    "Steps",
    "Tally",
    "overtaken",
]
