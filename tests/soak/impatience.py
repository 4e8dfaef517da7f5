"""Options of Kafka for groups that are impatient."""

from __future__ import annotations

import json

QUICK = json.dumps({"session.timeout.ms": 2_000, "heartbeat.interval.ms": 500})
"""So that those who take over from the dead need not wait for long. Brokers allow no less than 6 s unless told to."""
