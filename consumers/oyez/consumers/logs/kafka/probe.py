"""Is Kafka there? One question, five seconds, and a clear answer before anything is begun."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
from collections.abc import Mapping
from multiprocessing.connection import Connection as Pipe
from typing import Any

from confluent_kafka import Consumer, KafkaException
from confluent_kafka.admin import AdminClient

from oyez.producers import SettingsError
from oyez.producers.loggers import logger_named

from ..backend import LogUnreachable
from .client_config import client_config, without_membership

TIMEOUT = 5.0  # s
CHILDREN = 3  # that may die until nothing more is asked: whoever kills one says nothing of the broker
HINT = "is it running? `oyez dev` starts one here"

silent = logger_named("oyez.kafka.librdkafka")
silent.addHandler(logging.NullHandler())
silent.propagate = False


def probe(servers: str, options: Mapping[str, object]) -> None:
    """Raise `LogUnreachable` unless a broker answers, and `SettingsError` for options that the client refuses.

    The question is asked by a short-lived child: a process that has had a Kafka client must not be forked.
    """
    answers = (_answer(servers, options) for _ in range(CHILDREN))
    kind, why = next(filter(None, answers), ("away", f"the probe died {CHILDREN} times"))
    if kind == "wrong":
        raise SettingsError(f"kafka_options (OYEZ_KAFKA_OPTIONS): {why}")
    if kind == "away":
        raise LogUnreachable(f"Kafka at {servers} cannot be reached: {why}; {HINT}")


def _answer(servers: str, options: Mapping[str, object]) -> tuple[str, str] | None:
    """A child's answer; None if it died before it had one."""
    context = multiprocessing.get_context("fork")
    answer, ours = context.Pipe(duplex=False)
    child = context.Process(target=_ask, args=(ours, servers, options))
    child.start()
    ours.close()
    try:
        found: tuple[str, str] = answer.recv() if answer.poll(TIMEOUT + 1.0) else ("away", "no answer")
        return found
    except EOFError:
        return None
    finally:
        child.kill()
        child.join()
        answer.close()


def admin(servers: str, options: Mapping[str, object], **more: Any) -> AdminClient:
    """An administrative client that is silent."""
    config: dict[str, Any] = {**options, **more, "bootstrap.servers": servers, "logger": silent}
    return AdminClient(config)


def outsider(group: str, servers: str, options: Mapping[str, object]) -> Consumer:
    """A silent client that asks for what a group has committed, and does not join it."""
    config = without_membership(options)
    return Consumer({**config, "bootstrap.servers": servers, "group.id": group, "logger": silent})


def _ask(answer: Pipe, servers: str, options: Mapping[str, object]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        answer.send(_asked(servers, options))
    finally:
        os._exit(0)


def _asked(servers: str, options: Mapping[str, object]) -> tuple[str, str]:
    """What the answer is ("there", "away", or "wrong" options), and why."""
    said: list[str] = []
    try:
        client = admin(servers, options, error_cb=lambda error: said.append(error.str()))
        Consumer({**client_config("probe", servers, options), "logger": silent}).close()  # it joins no group
    except KafkaException as error:
        return "wrong", error.args[0].str()
    try:
        client.list_topics(timeout=TIMEOUT)
    except KafkaException as error:
        client.poll(0)
        return "away", said[0] if said else error.args[0].str()
    return "there", ""
