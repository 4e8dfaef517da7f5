"""`oyez announce`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated

import typer

from oyez.producers import Announcer, NotAnnounced, Undelivered
from oyez.producers.outgoing import Route, typed
from oyez.schemas import InvalidEvent, OyezError, Signal, catalogue
from oyez.schemas.declaration import Declaration
from oyez.schemas.encoding import Encoder

from ...core.numerals import name_or_number
from ...settings import ListenSettings
from ..common import output
from ..common.application import handlers_of
from ..common.bundles import taking
from ..common.data import read_data
from ..common.exits import FAILED
from ..common.options import Json, SignalName, settings_by


@taking(settings_by("app", "kafka", "topic", "transport", "database", "source"))
def announce(
    *,
    signal: SignalName,
    data: Annotated[
        str | None,
        typer.Option(
            "--data",
            "-d",
            metavar="JSON|@FILE|-",
            help="The event's fields; - is stdin. A file or stdin may have several, one a line.",
        ),
    ] = None,
    key: Annotated[str | None, typer.Option("--key", help="The key, if the data has none.")] = None,
    as_json: Json = False,
    settings: ListenSettings,
) -> None:
    """Announce an event, or one for each line of NDJSON. Prints their ids once they have arrived.

    All are checked before the first one is announced.
    """
    handlers_of(settings)
    declaration = catalogue[name_or_number(signal)]
    encoder = Encoder(settings.source)
    events = [_checked(declaration, encoder, where, one, key) for where, one in read_data(data)]
    if settings.transport in PROBES:
        PROBES[settings.transport](settings)
    ids, problem = _announced(settings, events, key)
    if as_json:
        output.json_array({"id": one} for one in ids)
    else:
        for one in ids:
            output.line(one)
    if problem is not None:
        if len(events) > 1:
            output.note(f"{len(ids)} of {len(events)} events were announced")
        output.note(str(problem))
        raise typer.Exit(FAILED)


def _checked(declaration: Declaration, encoder: Encoder, where: str, data: str, key: str | None) -> Signal:
    """The event; InvalidEvent, with where it was given, for one that could not be announced."""
    try:
        event = typed(catalogue, declaration.name, data, key)
        chosen, subject = Route.of(declaration, "").identify(event, key)
        encoder.encode(event, id="-", time="-", key=chosen, subject=subject)
    except InvalidEvent as error:
        raise InvalidEvent(f"{where}: {error}") from None
    return event


def _probe_kafka(settings: ListenSettings) -> None:
    """Not where the spool takes the event while the broker is away."""
    from oyez.producers.kafka.durability import spool_of  # noqa: PLC0415 # who announces elsewhere has no Kafka

    from ..common import probes  # noqa: PLC0415 # as above

    if settings.durability == "spooled":
        spool_of(settings)  # what is missing is named, whether the broker is there or not
    elif settings.spool is None or settings.durability == "acked":
        probes.kafka(settings)


def _probe_database(settings: ListenSettings) -> None:
    from ..common import probes  # noqa: PLC0415 # who announces elsewhere has no database

    probes.database(settings)


PROBES: Mapping[str, Callable[[ListenSettings], None]] = {
    "kafka": _probe_kafka,
    "inline": _probe_database,
}
"""What is asked, for some transports, so that the command ends at once with one clear line, before the first event.
A transport without an entry is not asked: it says itself what is wrong."""


def _announced(
    settings: ListenSettings, events: Sequence[Signal], key: str | None
) -> tuple[list[str], OyezError | None]:
    """The ids of what arrived, and why the rest did not."""
    lost: set[str] = set()
    ids: list[str] = []
    problem: OyezError | None = None
    announcer = Announcer.from_settings(settings, on_undelivered=lambda event, _reason: lost.add(event.id))
    with output.aside():
        try:
            for event in events:
                ids.append(announcer.announce(event, key=key))
        except NotAnnounced as error:
            problem = error
        try:
            announcer.close()
        except Undelivered as error:
            problem = problem or error
    return [one for one in ids if one not in lost], problem
