"""Does the log answer that is set, Kafka or the spool?"""

from __future__ import annotations

from collections.abc import Sequence

from ..check import Check, Finding, ok
from ..setup import Setup


def look(setup: Setup) -> Sequence[Finding]:
    """Raises why it does not."""
    setup.backend.check()
    return ok(f"{setup.backend.where}: {setup.inspection.about()}")


CHECK = Check("log", ("settings",), look, advice="is it running, and is OYEZ_KAFKA or OYEZ_SPOOL right?")
