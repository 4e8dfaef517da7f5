"""Makes the base images that the project's files name, where no registry of images can be reached.

Run as `python -m containers.stand_ins` in the environment of an engine. Each image carries the label
`oyez.stand-in`: whoever inspects it sees that it is none of the real ones.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from containers import base
from containers.errors import UNAVAILABLE, CannotBeHad, NotMade, Refused
from containers.kafka import kafka_files
from containers.postgres import postgres_files
from oyez.consumers.dev.errors import ServiceError
from support.caching import digest

IMAGES = Path(__file__).with_name("images")
LABEL = "oyez.stand-in"
PYTHON, KAFKA, POSTGRES = "python:3.13-slim-bookworm", "apache/kafka:4.2.0", "postgres:18.1-bookworm"
# What an engine says that has not come as far as the registry. Everything else is the registry's own answer.
AWAY = (
    "no such host",
    "connection refused",
    "i/o timeout",
    "network is unreachable",
    "context deadline",
    "EOF",
)


def main() -> int:
    """Get each image, real or made here; say in one line which."""
    try:
        kinds = {name: get(name, make) for name, make in MAKERS.items()}
    except (Refused, NotMade) as error:
        print(f"stand-in-images: {error}", file=sys.stderr)
        return 1
    except (CannotBeHad, ServiceError, AssertionError) as error:  # the last of them is said by support.debian
        print(f"stand-in-images: {' '.join(str(error).split())}", file=sys.stderr)
        return UNAVAILABLE
    made = [name for name, kind in kinds.items() if kind == "stand-in"]
    print(f"images: stand-ins for {', '.join(made)}" if made else "images: the real ones")
    return 0


def get(name: str, make: Callable[[str], None]) -> str:
    """Pull it, or `make` it where no registry can be reached; which of both. `make` gets the label that is there."""
    label = _label(name)
    if label == "":
        return "real"
    why = _pulled(name)
    if why == "":
        return "real"
    if not any(word in why for word in AWAY):
        raise Refused(f"{name} cannot be pulled: {why}")
    make(label or "")
    return "stand-in"


def _label(name: str) -> str | None:
    """The label of the image that is there: empty for a real one. None: there is none."""
    asked = ["docker", "image", "inspect", "--format", "{{json .Config.Labels}}", name]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    return None if done.returncode else (json.loads(done.stdout) or {}).get(LABEL, "")


def _pulled(name: str) -> str:
    done = subprocess.run(["docker", "pull", "--quiet", name], capture_output=True, text=True, check=False)
    return "" if not done.returncode else (done.stderr.strip() or "it does not say why").splitlines()[-1]


def _make_python(there: str) -> None:
    wanted = digest(IMAGES / "python", Path(base.__file__), base.certificates())
    if there != wanted:
        print(f"stand-in-images: making {PYTHON} from Debian's packages (a minute or two)", file=sys.stderr)
        base.make(PYTHON, IMAGES / "python", f"{LABEL}={wanted}")


def _make_kafka(there: str) -> None:
    _make_above(KAFKA, there, IMAGES / "kafka", kafka_files())


def _make_postgres(there: str) -> None:
    _make_above(POSTGRES, there, IMAGES / "postgres", postgres_files())


def _make_above(name: str, there: str, recipe: Path, files: dict[str, Path]) -> None:
    """An image on the stand-in of Python: its recipe's Dockerfile, in a folder of these files."""
    listed = " ".join(f"{goal}={source.name}" for goal, source in sorted(files.items()))
    wanted = digest(recipe, listed, _label(PYTHON) or "")
    if there == wanted:
        return
    print(f"stand-in-images: making {name} from packages", file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="oyez-image-") as made:
        for goal, source in {**{file.name: file for file in recipe.iterdir()}, **files}.items():
            place = Path(made) / goal
            place.parent.mkdir(parents=True, exist_ok=True)
            subprocess.run(["cp", "--recursive", "--dereference", source, place], check=True)
        command = ["docker", "build", "--quiet", "--label", f"{LABEL}={wanted}", "--tag", name]
        base.run(*command, "--build-arg", f"BASE={PYTHON}", made, failure=NotMade)


MAKERS = {PYTHON: _make_python, KAFKA: _make_kafka, POSTGRES: _make_postgres}

if __name__ == "__main__":
    sys.exit(main())
