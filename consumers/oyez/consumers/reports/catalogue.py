"""The signals and handlers of an application, as they are listed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from oyez.schemas.declaration import Declaration

from ..handlers.registry import Handler


@dataclass(frozen=True)
class SignalRow:
    """A signal. ``requires`` maps a required signal to the field with its subject."""

    name: str
    number: int | None
    key: str | None
    subject: str | None
    requires: dict[str, str]
    topic: str | None
    handlers: list[str]
    groups: list[str]


@dataclass(frozen=True)
class HandlerRow:
    """A handler. ``requires`` maps a required signal to the field with its subject; ``file`` is its event file, and
    ``broken`` the reason why that does not run; ``timeout`` is in seconds."""

    signal: str | None
    number: int | None
    handler: str
    group: str | None
    order: str | None
    requires: dict[str, str] | None
    completes: bool | None
    retry: str | None
    concurrency: int | None
    timeout: float | None
    file: str | None
    broken: str | None


def signal_row(one: Declaration, handlers: Iterable[Handler]) -> SignalRow:
    """A signal, with those of these handlers that are its own."""
    ours = [handler for handler in handlers if handler.declaration.name == one.name]
    return SignalRow(
        name=one.name,
        number=one.number,
        key=one.key,
        subject=one.subject,
        requires=dict(one.requires),
        topic=one.topic,
        handlers=[handler.name for handler in ours],
        groups=list(dict.fromkeys(handler.group for handler in ours)),
    )


def handler_row(one: Handler) -> HandlerRow:
    """A handler that runs."""
    return HandlerRow(
        signal=one.declaration.name,
        number=one.declaration.number,
        handler=one.name,
        group=one.group,
        order="key" if one.ordered else "none",
        requires=dict(one.requires),
        completes=one.completes,
        retry=None if one.retry is None else str(one.retry),
        concurrency=one.concurrency,
        timeout=one.timeout,
        file=None if one.file is None else str(one.file),
        broken=None,
    )
