"""What operators do to what is parked or dead. Everybody locks pairs first, then rows; so do these."""

from .decoding import Decode
from .discarding import Discard
from .forcing import Force
from .meeting import Record, Recorded
from .overtaking import Overtaken, overtaken
from .releasing import Release
from .retrying import Retry
from .rewinding import NotBegun, Rewinding, Rewound
from .steps import Lever, Step, Steps, Tally

__all__ = [
    "Decode",
    "Discard",
    "Force",
    "Lever",
    "NotBegun",
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
