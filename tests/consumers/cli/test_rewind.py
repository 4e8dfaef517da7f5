"""`oyez rewind`: what it sets, says, asks and refuses."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

import pytest
from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, Producer, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient
from sqlalchemy import Engine, create_engine, select, update

from consumers.cli.running import Shop, one_line
from oyez.consumers.database import positions
from oyez.consumers.database.positions import Partition
from oyez.consumers.database.tables import position
from support.services import make_topic_again
from support.tables import knowing_the_tables
from support.waiting import eventually

VIEWS, TICKS = "clishop.cli.page.viewed", "clishop.cli.ticked"
# Younger than the retention of a topic, or the broker deletes the records at its next check.
FIRST = int(time.time()) - 24 * 3_600  # s


@dataclass(frozen=True)
class Begun:
    """The shop after two of its groups have read ten records in partition 0 and five in partition 1."""

    shop: Shop
    engine: Engine
    admin: AdminClient

    @property
    def kafka(self) -> str:
        return self.shop.settings["OYEZ_KAFKA"]

    @property
    def topic(self) -> str:
        return self.shop.settings["OYEZ_TOPIC"]

    def topic_id(self) -> str:
        asked = self.admin.describe_topics(TopicCollection([self.topic]))
        return str(asked[self.topic].result().topic_id)

    def fill(self, partition: int, count: int) -> None:
        """Records of an hour apart, the first of yesterday."""
        producer = Producer({"bootstrap.servers": self.kafka})
        for n in range(count):
            stamp = (FIRST + 3_600 * n) * 1_000
            producer.produce(self.topic, b"{}", partition=partition, timestamp=stamp)
        assert producer.flush(20) == 0

    def rows(self, group: str = VIEWS) -> dict[int, Any]:
        with self.engine.connect() as db:
            found = db.execute(select(position).where(position.c.group_name == group))
            return {row.partition: row for row in found}

    def at(self, group: str = VIEWS) -> list[int]:
        return [row.position for _, row in sorted(self.rows(group).items())]

    def tell(self, group: str, offset: int, promise: str) -> None:
        told = [TopicPartition(self.topic, 0, offset, promise)]
        request = [ConsumerGroupTopicPartitions(group, told)]

        def is_told() -> bool:
            """The broker that has the group may not know the new topic yet."""
            answer = self.admin.alter_consumer_group_offsets(request)[group].result()
            return all(one.error is None for one in answer.topic_partitions)

        eventually(is_told)

    def told(self, group: str) -> dict[int, tuple[int, str]]:
        found = self.admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])[group].result()
        ours = [one for one in found.topic_partitions if one.topic == self.topic]
        return {one.partition: (one.offset, one.metadata) for one in ours}

    def rewind(self, group: str, to: str, *more: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = json.loads(
            self.shop.print("rewind", group, "--to", to, "--yes", "--json", *more)
        )
        return rows

    def said(self, group: str, to: str, *more: str) -> str:
        """What is said on stderr."""
        done = self.shop.run("rewind", group, "--to", to, *more)
        assert done.returncode == 0, done.stderr
        return done.stderr


@pytest.fixture
def begun(shop: Shop) -> Begun:
    shop.print("db", "upgrade")
    engine = knowing_the_tables(create_engine(shop.settings["OYEZ_DATABASE"]))
    made = Begun(shop, engine, AdminClient({"bootstrap.servers": shop.settings["OYEZ_KAFKA"]}))
    made.fill(0, 10)
    made.fill(1, 5)
    topic_id = made.topic_id()
    starts = {Partition(made.topic, topic_id, n): at for n, at in enumerate((10, 5, 0, 0))}
    with engine.begin() as db:
        positions.begin(db, VIEWS, starts, 0.0)
        positions.begin(db, TICKS, starts, 0.0)
    return made


def test_positions_are_set_and_what_comes_of_it_is_said(begun: Begun) -> None:
    with begun.engine.begin() as db:
        values = {"epoch": 7, "acquisitions": 2, "suspect": 3, "starts": 1, "halted": "why", "halted_at": 1.0}
        db.execute(update(position).values(values))
    done = begun.shop.run("rewind", "cli.page.viewed", "--to", "2", "--partition", "0", "--yes")
    assert done.returncode == 0, done.stderr
    head, row = (line.split("\t") for line in done.stdout.splitlines())
    assert head == ["topic", "partition", "from", "to", "read again", "skipped", "was halted"]
    assert row == [begun.topic, "0", "10", "2", "8", "0", "yes"]
    assert "of up to 8 records that are read again, the inbox skips what it has" in done.stderr
    assert "14 days" in done.stderr
    now = begun.rows()[0]
    assert (now.position, now.epoch, now.acquisitions, now.suspect, now.starts) == (2, 7, 0, None, 0)
    assert (now.halted, now.halted_at, now.again_below) == (None, None, None)
    assert begun.rows()[1].halted == "why"
    assert begun.at(TICKS) == [10, 5, 0, 0]


def test_where_to(begun: Begun) -> None:
    assert [row["to"] for row in begun.rewind(VIEWS, "earliest")] == [0, 0, 0, 0]
    assert begun.at() == [0, 0, 0, 0]
    rows = begun.rewind(VIEWS, "latest", "--partition", "0", "--partition", "1")
    assert [(row["from"], row["to"], row["read_again"], row["skipped"]) for row in rows] == [
        (0, 10, 0, 10),
        (0, 5, 0, 5),
    ]
    moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(FIRST + 3 * 3_600 - 60))
    for said in (moment, f"{moment}Z", f"{int(time.time()) - FIRST - 3 * 3_600 + 60}s"):
        begun.rewind(VIEWS, "latest")
        begun.rewind(VIEWS, said)
        assert begun.at() == [3, 3, 0, 0], said
    assert begun.rewind(VIEWS, "1h")
    assert begun.at() == [10, 5, 0, 0]


def test_a_dry_run_changes_nothing(begun: Begun) -> None:
    before = begun.rows()
    rows = begun.rewind(VIEWS, "earliest", "--dry-run", "--topic", begun.topic)
    assert [(row["partition"], row["from"], row["to"]) for row in rows] == [
        (0, 10, 0),
        (1, 5, 0),
        (2, 0, 0),
        (3, 0, 0),
    ]
    assert begun.rows() == before


def test_again_says_that_it_doubles(begun: Begun) -> None:
    assert "doubles their effects" in begun.said(VIEWS, "4", "--partition=0", "--again", "--yes")
    row = begun.rows()[0]
    assert (row.position, row.again_below) == (4, 10)
    help_text = " ".join(begun.shop.print("rewind", "--help").split())
    assert "doubles effects, on purpose" in help_text.replace("│ │ ", "")


def test_what_is_skipped_is_said(begun: Begun) -> None:
    begun.rewind(VIEWS, "earliest")
    assert "up to 15 records are skipped" in begun.said(VIEWS, "latest", "--dry-run")


def test_what_is_refused(begun: Begun) -> None:
    before = begun.rows(), begun.rows(TICKS)
    for code, words, arguments in (
        (4, ["no group nobody", VIEWS], ["nobody", "--to", "earliest", "--yes"]),
        (4, ["has not begun", begun.topic], ["cli.session.started", "--to", "earliest", "--yes"]),
        (2, ["partition 1 has the offsets 0 to 5"], [VIEWS, "--to", "6", "--yes"]),
        (2, ["--partition 4", "4 partitions"], [VIEWS, "--to", "0", "--partition", "4", "--yes"]),
        (2, ["--topic other", begun.topic], [VIEWS, "--to", "0", "--topic", "other", "--yes"]),
        (2, ["--to soon", "earliest, latest"], [VIEWS, "--to", "soon", "--yes"]),
        (2, ["--to -1", "an offset"], [VIEWS, "--to", "-1", "--yes"]),
    ):
        one_line(begun.shop.run("rewind", *arguments), code, *words)
    unasked = begun.shop.run("rewind", VIEWS, "--to", "earliest")
    assert unasked.returncode == 2
    assert "reads 15 records again and skips nothing? Give --yes" in unasked.stderr
    assert (begun.rows(), begun.rows(TICKS)) == before


def test_a_topic_that_is_not_there(begun: Begun) -> None:
    done = begun.shop.run("rewind", VIEWS, "--to", "earliest", "--yes", OYEZ_TOPIC="no-such-topic")
    one_line(done, 4, "no topic no-such-topic")


def test_a_topic_that_was_made_again(begun: Begun) -> None:
    make_topic_again(begun.kafka, begun.topic)
    begun.fill(0, 3)
    eventually(lambda: len(begun.rewind(VIEWS, "0", "--partition=0", "--dry-run")) == 1)
    begun.rewind(VIEWS, "0", "--partition=0")
    rows = begun.rows()
    assert {row.topic_id for row in rows.values()} == {begun.topic_id()}
    assert (rows[0].position, rows[0].halted) == (0, None)
    assert all("was made again" in rows[n].halted for n in (1, 2, 3))
    begun.rewind(VIEWS, "latest")
    assert [row.halted for row in begun.rows().values()] == [None] * 4
    assert begun.at() == [3, 0, 0, 0]


def test_the_offsets_of_an_at_least_once_group_are_set_in_kafka(begun: Begun) -> None:
    begun.tell(TICKS, 9, "at-least-once")
    said = begun.said(TICKS, "4", "--partition=0", "--yes", "--again")
    assert "has no inbox" in said
    assert begun.told(TICKS) == {0: (4, "at-least-once")}
    row = begun.rows(TICKS)[0]
    assert (row.position, row.again_below) == (4, None)
    (row,) = begun.rewind(TICKS, "earliest", "--partition=0")
    assert (row["from"], row["to"]) == (4, 0)


def test_an_at_least_once_group_with_members_is_not_rewound(begun: Begun) -> None:
    member = Consumer({"bootstrap.servers": begun.kafka, "group.id": TICKS})
    member.subscribe([begun.topic])
    eventually(lambda: member.poll(0.1) or member.assignment())
    before = begun.rows(TICKS)
    done = begun.shop.run("rewind", TICKS, "--to", "4", "--partition=0", "--yes")
    member.close()
    assert done.returncode == 1
    assert "stop the group's workers first" in done.stderr.splitlines()[-1]
    assert begun.rows(TICKS) == before


def test_an_exactly_once_group_does_not_go_back_to_what_it_told_when_it_was_not(begun: Begun) -> None:
    begun.tell(VIEWS, 9, "at-least-once")
    begun.rewind(VIEWS, "4", "--partition=0")
    assert begun.told(VIEWS) == {0: (4, "exactly-once")}
