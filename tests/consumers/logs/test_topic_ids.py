"""When a member asks whether its topics are still the same, and what it does with the answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import pytest
from confluent_kafka import KafkaError, KafkaException

from oyez.consumers.database.positions import Partition
from oyez.consumers.logs.kafka.topic_ids import Names
from oyez.consumers.logs.kafka.topics import Topics
from oyez.consumers.logs.log import LogAway


class Answers:
    """A broker's topics, by name: their ids. Silent if it is away."""

    def __init__(self) -> None:
        self.ids = {"t": "t-1"}
        self.is_away = False
        self.asked = 0

    def partitions(self, topics: Iterable[str]) -> dict[str, list[Partition]]:
        self.asked += 1
        if self.is_away:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
        return {t: [Partition(t, self.ids[t], n) for n in range(4)] for t in topics if t in self.ids}


class Watch:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def answers() -> Answers:
    return Answers()


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def names(answers: Answers, watch: Watch) -> Names:
    """Two partitions, named."""
    made = Names(cast("Topics", answers), watch)
    made.assign([("t", 0), ("t", 1)])
    assert made.all() == [Partition("t", "t-1", 0), Partition("t", "t-1", 1)]
    answers.asked = 0
    return made


OLD = [Partition("t", "t-1", 0), Partition("t", "t-1", 1)]
NEW = [Partition("t", "t-2", 0), Partition("t", "t-2", 1)]


def test_nothing_is_asked_without_a_reason(names: Names, answers: Answers, watch: Watch) -> None:
    for _ in range(59):
        watch.now += 1.0
        assert names.outdated() == []
        assert names.all() == OLD
    assert answers.asked == 0


def test_it_is_asked_once_a_minute(names: Names, answers: Answers, watch: Watch) -> None:
    answers.ids["t"] = "t-2"
    watch.now += 60.0
    assert names.outdated() == OLD
    assert names.all() == NEW
    assert names.outdated() == []
    watch.now += 60.0
    assert names.outdated() == []
    assert answers.asked == 3


def test_it_is_asked_at_once_when_in_doubt(names: Names, answers: Answers) -> None:
    answers.ids["t"] = "t-2"
    names.doubt()
    assert names.outdated() == OLD
    names.doubt()
    assert names.all() == NEW


def test_it_is_asked_when_somebody_says_another_id(names: Names, answers: Answers) -> None:
    names.compare("t", "t-1")
    names.compare("u", "u-1")
    assert names.outdated() == []
    assert answers.asked == 0
    answers.ids["t"] = "t-2"
    names.compare("t", "t-2")
    assert names.outdated() == OLD


def test_it_is_asked_when_partitions_of_a_topic_that_is_read_are_gained(
    names: Names, answers: Answers
) -> None:
    answers.ids["t"] = "t-2"
    names.assign([("t", 2)])
    assert names.outdated() == OLD
    assert names.all() == [*NEW, Partition("t", "t-2", 2)]


def test_a_broker_that_is_away_changes_nothing_when_nobody_is_in_doubt(
    names: Names, answers: Answers, watch: Watch
) -> None:
    answers.is_away = True
    watch.now += 60.0
    assert names.outdated() == []
    assert names.outdated() == []
    assert answers.asked == 1, "and is asked again in a minute"


def test_in_doubt_nothing_is_read_until_there_is_an_answer(
    names: Names, answers: Answers, watch: Watch
) -> None:
    answers.is_away = True
    names.doubt()
    assert names.outdated() == OLD
    for _ in range(50):
        with pytest.raises(LogAway):
            names.all()
    assert answers.asked == 2, "it is not asked again at once"
    answers.is_away = False
    watch.now += 1.0
    assert names.all() == OLD


def test_a_topic_that_is_gone_is_named_when_it_is_there_again(
    names: Names, answers: Answers, watch: Watch
) -> None:
    answers.ids.clear()
    names.doubt()
    assert names.outdated() == OLD
    assert names.all() == []
    assert names.all() == []
    assert answers.asked == 2
    answers.ids["t"] = "t-2"
    watch.now += 1.0
    assert names.all() == NEW


def test_what_is_revoked_is_nobodys(names: Names) -> None:
    assert names.revoke([("t", 0), ("t", 9)]) == OLD[:1]
    assert names.all() == OLD[1:]
    assert names.of("t", 0) is None
