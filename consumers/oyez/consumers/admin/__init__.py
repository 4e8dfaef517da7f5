"""What operators do to what is parked or dead.

Everybody locks prerequisites first, then rows; so do these."""

from typing import TYPE_CHECKING

from oyez.producers.when_used import names_when_used

if TYPE_CHECKING:
    from .bulk import Operation, Step, Steps, Tally
    from .discard import Discard
    from .force import Force
    from .overtaking import Overtaken, overtaken
    from .pacing import Pacing
    from .pausing import NothingOfThatName, Pausing
    from .record_met import Record, Recorded
    from .release import Release
    from .rename import Renaming
    from .retry_dead import Retry
    from .retry_undecodable import Decode
    from .rewind import NotBegun, Rewinding, Rewound

__all__ = [
    "Decode",
    "Discard",
    "Force",
    "NotBegun",
    "NothingOfThatName",
    "Operation",
    "Overtaken",
    "Pacing",
    "Pausing",
    "Record",
    "Recorded",
    "Release",
    "Renaming",
    "Retry",
    "Rewinding",
    "Rewound",
    "Step",
    "Steps",
    "Tally",
    "overtaken",
]

if not TYPE_CHECKING:  # a type checker would believe that every name is there
    __getattr__, __dir__ = names_when_used(
        __name__,
        {
            "Decode": ".retry_undecodable",
            "Discard": ".discard",
            "Force": ".force",
            "NotBegun": ".rewind",
            "NothingOfThatName": ".pausing",
            "Operation": ".bulk",
            "Overtaken": ".overtaking",
            "Pacing": ".pacing",
            "Pausing": ".pausing",
            "Record": ".record_met",
            "Recorded": ".record_met",
            "Release": ".release",
            "Renaming": ".rename",
            "Retry": ".retry_dead",
            "Rewinding": ".rewind",
            "Rewound": ".rewind",
            "Step": ".bulk",
            "Steps": ".bulk",
            "Tally": ".bulk",
            "overtaken": ".overtaking",
        },
    )
