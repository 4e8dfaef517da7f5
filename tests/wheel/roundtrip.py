"""One announcement and its handling with an installed oyez, as its user would do it.

Run it away from the sources, with the interpreter of the environment that oyez[postgres,dev] is installed in.
It uses the command line alone: `oyez dev`, `db upgrade`, `announce`, `listen`, `status`.
"""

import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

OYEZ = str(Path(sys.executable).with_name("oyez"))
APPLICATION = """
from oyez.consumers import Handlers
from oyez.schemas import Signal
from sqlalchemy import text
from sqlalchemy.orm import Session


class Greeted(Signal, name="visitor.greeted", number=7, key="visitor"):
    visitor: str
    words: str


on = Handlers("shop")


@on(Greeted)
def remember(greeting: Greeted, db: Session) -> None:
    db.execute(text("CREATE TABLE IF NOT EXISTS greetings (visitor text, words text)"))
    db.execute(text("INSERT INTO greetings VALUES (:visitor, :words)"), greeting.model_dump())
"""


def wait_for(what: str, condition: Callable[[], object], seconds: float = 120.0) -> None:
    limit = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > limit:
            sys.exit(f"roundtrip: no {what} within {seconds:g} s")
        time.sleep(0.05)


@contextmanager
def running(name: str, *arguments: str, environment: dict[str, str], folder: Path) -> Iterator[Path]:
    """An oyez command in the background, ended by SIGTERM, which must make it exit with 0; its output."""
    output = folder / f"{name}.out"
    with output.open("w") as out, (folder / f"{name}.err").open("w") as err:
        process = subprocess.Popen([OYEZ, *arguments], cwd=folder, env=environment, stdout=out, stderr=err)
    try:
        yield output
    finally:
        process.send_signal(signal.SIGTERM)
        code = process.wait(60)
    if code != 0:
        sys.exit(f"roundtrip: oyez {name} exited with {code}\n{(folder / f'{name}.err').read_text()}")


def oyez(*arguments: str, environment: dict[str, str], folder: Path) -> str:
    """What an oyez command prints; it must exit with 0."""
    done = subprocess.run(
        [OYEZ, *arguments],
        cwd=folder,
        env=environment,
        text=True,
        capture_output=True,
        timeout=120,
        check=False,
    )
    if done.returncode != 0:
        sys.exit(f"roundtrip: oyez {' '.join(arguments)} exited with {done.returncode}\n{done.stderr}")
    return done.stdout


def greetings(database: Path) -> list[tuple[str, str]]:
    with sqlite3.connect(database) as connection:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'greetings'").fetchone():
            return []
        return connection.execute("SELECT visitor, words FROM greetings").fetchall()


def kafka_of(printed: Path) -> str:
    """The address that `oyez dev` printed, or nothing yet."""
    lines = [line for line in printed.read_text().splitlines() if "OYEZ_KAFKA=" in line]
    return lines[0].split("OYEZ_KAFKA=")[1].strip("'\"") if lines else ""


def round_trip(folder: Path) -> None:
    (folder / "shop.py").write_text(APPLICATION)
    environment = {
        **os.environ,
        "OYEZ_APP": "shop:on",
        "OYEZ_DATABASE": f"sqlite:///{folder / 'shop.db'}",
        "PYTHONPATH": str(folder),
    }
    with running("dev", "dev", "--no-postgres", environment=environment, folder=folder) as printed:
        wait_for("Kafka", lambda: kafka_of(printed))
        environment["OYEZ_KAFKA"] = kafka_of(printed)
        oyez("db", "upgrade", environment=environment, folder=folder)
        data = '{"visitor": "v1", "words": "hello"}'
        oyez("announce", "visitor.greeted", "-d", data, environment=environment, folder=folder)
        with running("listen", "listen", environment=environment, folder=folder):
            wait_for("greeting", lambda: greetings(folder / "shop.db"))
        status = oyez("status", "--json", environment=environment, folder=folder)
    if greetings(folder / "shop.db") != [("v1", "hello")]:
        sys.exit(f"roundtrip: handled {greetings(folder / 'shop.db')}\n{status}")


if __name__ == "__main__":
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as place:
        try:
            round_trip(Path(place))
        except SystemExit:
            for log in sorted(Path(place).glob("*.err")):
                print(f"--- {log.name}\n{log.read_text()}", file=sys.stderr)
            raise
    print(f"roundtrip: announced, handled once, stopped cleanly, in {time.monotonic() - begun:.1f} s")
