"""Kombu's broker in files, whose messages are there as a whole: its own may be read before it is written."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any
from uuid import uuid4

from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils.json import dumps

BROKER = "files://"


class Channel(filesystem.Channel):
    def _put(self, queue: str, payload: Any, **_: Any) -> None:
        name = f"{time.monotonic_ns():020}_{uuid4()}.{queue}.msg"
        folder = Path(self.data_folder_out)
        written = folder / f".{name}"
        written.write_text(dumps(payload))
        written.rename(folder / name)


class Transport(filesystem.Transport):
    Channel = Channel


def queue_in(folder: str) -> dict[str, Any]:
    """The options of this broker."""
    names = ("data_folder_in", "data_folder_out", "control_folder")
    return {**dict.fromkeys(names, folder), "polling_interval": 0.05}


TRANSPORT_ALIASES["files"] = f"{__name__}:Transport"
