"""Prints the jars of a Maven endpoint and the folder of the cache, as JSON. Run as `python resolve.py ENDPOINT`.

A process of its own, since jgo takes the Java to use from the environment.
"""

import fcntl
import json
import sys

import jgo
from jgo.config import GlobalSettings


def main(endpoint: str) -> None:
    settings = GlobalSettings.load()
    settings.cache_dir.mkdir(parents=True, exist_ok=True)
    # jgo writes its cache without a lock: a second process would read it half-written.
    with (settings.cache_dir / "oyez.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        environment = jgo.build(endpoint, cache_dir=settings.cache_dir, repositories=settings.repositories)
    found = {"jars": [str(jar) for jar in environment.all_jars], "cache": str(settings.cache_dir)}
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
