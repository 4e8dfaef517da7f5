"""What the broker is told: settings for one machine, quick to start."""

import uuid
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path

from oyez.consumers.dev.jars import java_home
from oyez.consumers.dev.ports import HOST

HEAP = "-Xmx512m"


def properties(log: Path, port: int, controller: int, changes: Mapping[str, str]) -> str:
    """The text of server.properties: one node that is broker and controller."""
    settings = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@{HOST}:{controller}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"PLAINTEXT://{HOST}:{port},CONTROLLER://{HOST}:{controller}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{port}",
        "log.dirs": str(log),
        "num.partitions": "4",
        "auto.create.topics.enable": "true",
        "group.initial.rebalance.delay.ms": "0",
        # As the clients have it with the classic protocol: a worker that was killed is replaced after 6 s.
        "group.consumer.min.session.timeout.ms": "6000",
        "group.consumer.session.timeout.ms": "6000",
        "group.consumer.min.heartbeat.interval.ms": "1000",
        "group.consumer.heartbeat.interval.ms": "1000",
        "offsets.topic.num.partitions": "1",
        "offsets.topic.replication.factor": "1",
        "transaction.state.log.num.partitions": "1",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "delivery.coordinator.state.topic.num.partitions": "1",
        "delivery.coordinator.state.topic.replication.factor": "1",
        "delivery.coordinator.state.topic.min.isr": "1",
        # How long a killed broker stays registered, and keeps its successor out.
        "broker.session.timeout.ms": "2000",
        "broker.heartbeat.interval.ms": "500",
        # 10 MB for each index of each partition, and 128 MB for the cleaner, are for servers.
        "log.index.size.max.bytes": "1048576",
        "log.cleaner.dedupe.buffer.size": "4194304",
    }
    return "".join(f"{name}={value}\n" for name, value in {**settings, **changes}.items())


def java_command(class_path: str, arguments: Sequence[str]) -> list[str]:
    """Java with Kafka's classes: options of Java, a class, and what this is told."""
    options = [HEAP, "-XX:+UseSerialGC", "-Djava.awt.headless=true"]
    return [str(java_home() / "bin" / "java"), *options, "-cp", class_path, *arguments]


def broker_arguments(wanted: Path) -> list[str]:
    """What runs the broker."""
    return ["kafka.Kafka", str(wanted)]


def format_arguments(wanted: Path) -> list[str]:
    """What prepares the broker's folder, once."""
    # Its first bits are set, so that it never begins with a dash, which the command takes for an option.
    cluster = urlsafe_b64encode(bytes([0xA5, *uuid.uuid4().bytes[1:]])).decode().rstrip("=")
    return ["kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(wanted)]
