"""What all of Oyez's own tables belong to."""

from __future__ import annotations

from sqlalchemy import MetaData, event

from oyez.producers.outbox import SCHEMA

from .partial_indexes import put_conditions

PREFIX = "oyez_"
"""What the names of Oyez's tables, and of no others, begin with."""

metadata = MetaData(schema=SCHEMA)
event.listen(metadata, "before_create", put_conditions)
