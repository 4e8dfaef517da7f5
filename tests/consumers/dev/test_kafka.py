"""The packaged broker: what is written survives a crash, and nothing survives its owner."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient, ConfigResource

from oyez.consumers.dev import Kafka, ServiceError
from oyez.consumers.dev.folder import ServiceFolder
from support.freezing import freeze
from support.services import make_topic


@pytest.fixture(scope="module")
def broker() -> Iterator[Kafka]:
    with Kafka() as broker:
        yield broker


def written(broker: Kafka, topic: str, value: bytes) -> int:
    producer = Producer({"bootstrap.servers": broker.bootstrap, "log_level": 0})
    producer.produce(topic, value)
    return producer.flush(30)


def read(broker: Kafka, topic: str) -> bytes | None:
    settings = {"bootstrap.servers": broker.bootstrap, "group.id": "test", "auto.offset.reset": "earliest"}
    consumer = Consumer({**settings, "log_level": 0})
    consumer.subscribe([topic])
    message = consumer.poll(30)
    consumer.close()
    assert message is not None
    value = message.value()
    return value if isinstance(value, bytes) else None


def test_it_is_on_this_machine_only(broker: Kafka) -> None:
    assert broker.bootstrap.startswith("127.0.0.1:")


def test_what_was_written_survives_a_kill(broker: Kafka) -> None:
    topic = make_topic(broker.bootstrap, "survives", 1)
    assert written(broker, topic, b"kept") == 0
    address, first = broker.bootstrap, broker.pid
    broker.kill()
    broker.restart()
    assert broker.bootstrap == address
    assert broker.pid != first
    assert read(broker, topic) == b"kept"


def test_frozen_it_answers_nothing_and_thawed_it_goes_on(broker: Kafka) -> None:
    topic = make_topic(broker.bootstrap, "frozen", 1)
    producer = Producer({"bootstrap.servers": broker.bootstrap, "log_level": 0})
    freeze(broker)
    producer.produce(topic, b"late")
    assert producer.flush(1) == 1
    broker.thaw()
    assert producer.flush(30) == 0


def test_a_port_in_use_is_named(broker: Kafka) -> None:
    port = int(broker.bootstrap.split(":")[1])
    with pytest.raises(ServiceError, match=f"127.0.0.1:{port}: the port is in use"):
        Kafka(port=port).start()


def test_a_folder_in_use_is_named(tmp_path: Path) -> None:
    used = ServiceFolder(tmp_path / "kafka")
    with pytest.raises(ServiceError, match="in use by another process"):
        Kafka(tmp_path / "kafka").start()
    used.close()


def test_a_setting_that_kafka_refuses_is_shown() -> None:
    with pytest.raises(ServiceError, match=r"num\.partitions"):
        Kafka(settings={"num.partitions": "many"}).start()


def test_a_command_before_the_start_is_refused() -> None:
    with pytest.raises(ServiceError, match=r"call start\(\) first"):
        Kafka().kill()


TAKING_OVER = {
    "group.consumer.min.session.timeout.ms": "6000",
    "group.consumer.session.timeout.ms": "6000",
    "group.consumer.min.heartbeat.interval.ms": "1000",
    "group.consumer.heartbeat.interval.ms": "1000",
}
"""With these the newer protocol takes over from a killed worker as soon as the classic one does."""


def test_the_newer_group_protocol_takes_over_as_soon_as_the_classic_one(broker: Kafka) -> None:
    resource = ConfigResource(ConfigResource.Type.BROKER, "1")
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    (found,) = [answer.result() for answer in admin.describe_configs([resource]).values()]
    assert {name: found[name].value for name in TAKING_OVER} == TAKING_OVER


def test_the_compose_file_says_the_same() -> None:
    text = (Path(__file__).parents[3] / "docker-compose.yml").read_text()
    said = yaml.safe_load(text)["services"]["kafka"]["environment"]
    assert {name: said.get(f"KAFKA_{name.upper().replace('.', '_')}") for name in TAKING_OVER} == TAKING_OVER
