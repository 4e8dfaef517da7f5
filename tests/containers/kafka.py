"""What the stand-in of Kafka's image is made of: the broker's own jars, and a Java."""

from __future__ import annotations

import os
from pathlib import Path

from oyez.consumers.dev.jars import KAFKA, class_path, java_home

TOOLS = "org.apache.kafka:kafka-tools:4.2.0"


def kafka_files() -> dict[str, Path]:
    """Files and folders, by their places beside the Dockerfile."""
    jars = map(Path, class_path(f"{KAFKA}+{TOOLS}").split(os.pathsep))
    return {"java": java_home(), **{f"libs/{jar.name}": jar for jar in jars}}
