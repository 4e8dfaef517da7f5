"""Runs the checks: each when those that it needs have found nothing wrong, and for as long as it may take."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from queue import Empty, SimpleQueue

from confluent_kafka import KafkaException
from sqlalchemy.exc import DBAPIError

from oyez.producers.database_errors import one_line as of_driver
from oyez.producers.passwords import without_passwords
from oyez.schemas import OyezError

from ..core.printable import one_line
from .check import Check, Finding, Result, not_checked, wrong
from .registry import CHECKS
from .setup import NoLog, Setup


def nobody(_name: str) -> None:
    """Nobody is told which check begins."""


def examine(
    setup: Setup, checks: Sequence[Check] = CHECKS, began: Callable[[str], None] = nobody
) -> Iterator[Result]:
    """What each check finds, as it finds it. Of what depends on something that is wrong, nothing is said but that.
    ``began`` is told the name of each check that begins."""
    causes: dict[str, str] = {}
    for check in checks:
        cause = _cause(check, causes)
        if cause is not None:
            causes[check.name] = cause
            yield Result(check.name, "not checked", f"{cause} comes first: see there", because=cause)
            continue
        began(check.name)
        found = _look(check, setup)
        if any(one.state == "wrong" for one in found) or all(one.state == "not checked" for one in found):
            causes[check.name] = check.name
        for one in found:
            advice = None if one.advice is None else _shown(one.advice)
            yield Result(check.name, one.state, _shown(one.says), advice)


def _cause(check: Check, causes: Mapping[str, str]) -> str | None:
    """The check in whose way the first of those stands that this one needs."""
    return next((causes[name] for name in check.needs if name in causes), None)


def _look(check: Check, setup: Setup) -> Sequence[Finding]:
    """In a thread of its own: whoever waits for an answer of a service cannot be stopped, but left."""
    answer: SimpleQueue[Sequence[Finding]] = SimpleQueue()
    threading.Thread(target=lambda: answer.put(_found(check, setup)), daemon=True, name=check.name).start()
    try:
        return answer.get(timeout=check.limit)
    except Empty:
        return [
            Finding("wrong", f"no answer within {check.limit:g} s", "see whether it hangs, or is overloaded")
        ]


def _found(check: Check, setup: Setup) -> Sequence[Finding]:
    try:
        return check.look(setup)
    except NoLog as error:
        return not_checked(str(error))
    except Exception as error:  # noqa: BLE001 # one check that fails is no reason to leave out the others
        found = _of_error(error)
        return [found if found.advice else replace(found, advice=check.advice)]


def _of_error(error: Exception) -> Finding:
    match error:
        case OyezError():
            return wrong(str(error))
        case DBAPIError():
            return Finding("wrong", f"the database: {of_driver(error)}")
        case KafkaException():
            return Finding("wrong", f"Kafka: {error.args[0].str()}")
        case OSError():
            return Finding("wrong", f"{error.filename or 'the system'}: {error.strerror or error}")
        case _:
            return Finding("wrong", f"the check failed: {type(error).__name__}: {error}")


def _shown(text: str) -> str:
    return one_line(without_passwords(text))
