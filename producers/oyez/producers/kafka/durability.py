"""The transport "kafka", as durable as is set."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from ..errors import SettingsError
from ..ordered_sender import OrderedSender
from ..settings import Settings
from ..spool.transport import writer_from
from ..spool_shipping.background import shipping_thread
from ..spool_shipping.spool_shipper import SpoolShipper
from ..transport import Transport
from .acked import AckedTransport
from .config import producer_config
from .failover.outlet import Outlet
from .failover.transport import FailoverTransport
from .limits import BATCH, Limits, batch_size
from .spooled import SpooledTransport
from .transport import KafkaTransport

_FOR_EVER = 24 * 3600.0
_LATER = 10.0
_IN_ORDER: Mapping[str, Any] = {"max.in.flight.requests.per.connection": 1}
"""What librdkafka needs to keep an order whatever happens. A partition that does not know a producer yet takes any
sequence number: of two requests to a broker that has just started the first may be turned away, the second taken."""


def from_settings(settings: Settings) -> Transport:
    """The transport named "kafka", as durable as is set. SettingsError: that needs a spool."""
    made: Mapping[str, Callable[[Settings], Transport]] = {
        "buffered": _buffered,
        "acked": _acked,
        "spooled": _spooled,
    }
    return made[settings.durability](settings)


def sender_from(settings: Settings) -> OrderedSender:
    """What sends to Kafka what is kept in the spool."""
    return OrderedSender(shipping_transport(settings))


def shipping_transport(settings: Settings) -> KafkaTransport:
    """The plain transport to Kafka, for events that are kept elsewhere until they have arrived. It gives up by taking
    back everything at once: if single events could time out, later ones might arrive without them."""
    return KafkaTransport(
        settings.kafka,
        {**_IN_ORDER, **settings.kafka_options},
        announce_timeout=settings.announce_timeout,
        delivery_timeout=_FOR_EVER,
    )


def spool_shipper_from(settings: Settings) -> SpoolShipper:
    """What ships the spool. SettingsError: there is none."""
    return SpoolShipper(
        [spool_of(settings)],
        settings.topic,
        lambda: sender_from(settings),
        retention=settings.spool_retention,
    )


def _buffered(settings: Settings) -> Transport:
    if settings.spool is not None:
        return _failing_over(settings)
    return KafkaTransport(
        settings.kafka,
        settings.kafka_options,
        announce_timeout=settings.announce_timeout,
        delivery_timeout=settings.delivery_timeout,
    )


def _failing_over(settings: Settings) -> Transport:
    # Silence is noticed first, and everything taken back at once: see shipping_transport.
    silence = settings.announce_timeout
    timeout = max(settings.delivery_timeout, silence + _LATER)
    config = producer_config(settings.kafka, settings.kafka_options, timeout)
    limits = Limits(settings.kafka, settings.kafka_options)

    def outlet(topics: Collection[str]) -> Outlet:
        asked = [limits.of(topic, silence) for topic in topics]
        return Outlet({**config, BATCH: min(batch_size(config, limit) for limit in (None, *asked))}, silence)

    return FailoverTransport(
        outlet,
        spool_of(settings),
        writer_from(settings),
        shipping_thread(lambda: spool_shipper_from(settings)),
        limit=int(config.get("message.max.bytes", 1_000_000)),
    )


def _acked(settings: Settings) -> Transport:
    return AckedTransport(settings.kafka, settings.kafka_options, announce_timeout=settings.announce_timeout)


def _spooled(settings: Settings) -> Transport:
    background = shipping_thread(lambda: spool_shipper_from(settings))
    return SpooledTransport(spool_of(settings), writer_from(settings), background)


def spool_of(settings: Settings) -> Path:
    """The folder in which events are kept for Kafka. SettingsError: none is set."""
    if settings.spool is None:
        raise SettingsError(
            f"durability {settings.durability} needs a spool: set OYEZ_SPOOL to a folder (or spool in oyez.toml)"
        )
    return settings.spool
