"""How a member's client is configured; what is set wins over ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .assignment import COOPERATIVE

INSTANCE = "group.instance.id"
DEFAULTS: Mapping[str, Any] = {
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "auto.offset.reset": "error",
    "fetch.queue.backoff.ms": 10,
    "allow.auto.create.topics": True,
}
# With the "consumer" protocol these are the broker's to set.
CLASSIC: Mapping[str, Any] = {
    "partition.assignment.strategy": COOPERATIVE,
    "session.timeout.ms": 6_000,
    "heartbeat.interval.ms": 1_000,
}
OF_MEMBERS = (
    "partition.assignment",
    INSTANCE,
    "group.protocol",
    "group.remote",
    "session.",
    "heartbeat.",
    "debug",
)
"""How options begin that only concern who is in a group, or what it logs."""


def without_membership(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a client that asks beside a group's members, and joins nothing."""
    return {name: value for name, value in options.items() if not name.startswith(OF_MEMBERS)}


def client_config(group: str, servers: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration of a member's client. Its debug lines of METADATA are needed: see `ClientLog`."""
    is_classic = options.get("group.protocol", "classic") == "classic"
    debug = options.get("debug")
    return {
        **DEFAULTS,
        **(CLASSIC if is_classic else {}),
        **options,
        "bootstrap.servers": servers,
        "group.id": group,
        "debug": f"{debug},metadata" if debug else "metadata",
    }


def options_of_worker(options: Mapping[str, Any], worker: int | None) -> Mapping[str, Any]:
    """The options of one of a group's workers, numbered from 0. Two that had the same instance id would throw each
    other out for ever. Whoever stays for one pass (None) has none: it would throw a worker out."""
    if INSTANCE not in options:
        return options
    rest = {name: value for name, value in options.items() if name != INSTANCE}
    return rest if worker is None else {**rest, INSTANCE: f"{options[INSTANCE]}-{worker}"}
