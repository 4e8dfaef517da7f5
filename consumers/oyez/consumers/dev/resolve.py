"""Prints the jars of a Maven endpoint as a JSON array. Run as a script: `python resolve.py ENDPOINT`.

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
    sys.stdout.write(json.dumps([str(jar) for jar in environment.all_jars]) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
