#!/bin/sh
# Consumer.consume() of confluent-kafka up to 2.13.0 moves position() past an error, as if that had been a record.
#
# Versions: confluent-kafka 2.13.0 (librdkafka 2.13.0) does so, 2.13.2 (librdkafka 2.13.2) does not.
#
# What happens: a consumer with auto.offset.reset=error is put at offset 1000 of a partition that has no such offset. Both
# poll() and consume() give the error _AUTO_OFFSET_RESET with offset 1000. After poll() position() says that nothing was
# read (-1001). After consume() it says 1001: the offset of the error and one. Whoever keeps position() as what was read
# keeps an offset that the broker never had.
#
# Output seen:
#   2.13.0 poll: offset 1000, position -1001
#   2.13.0 consume: offset 1000, position 1001
#   2.13.2 poll: offset 1000, position -1001
#   2.13.2 consume: offset 1000, position -1001
#
# Exits with 0 as long as that is so. Needs Python 3.11 and the network (PyPI); the broker is librdkafka's mock cluster. It
# takes half a minute.
set -eu
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cat > "$place/position.py" <<'PY'
import sys
import time

from confluent_kafka import Consumer, TopicPartition, version

consumer = Consumer(
    {
        "bootstrap.servers": "",
        "test.mock.num.brokers": 1,
        "group.id": "g",
        "auto.offset.reset": "error",
        "enable.auto.commit": False,
        "allow.auto.create.topics": True,
    }
)
consumer.list_topics("t", timeout=10)
consumer.assign([TopicPartition("t", 0, 1000)])
read = {"poll": lambda: consumer.poll(0.2), "consume": lambda: next(iter(consumer.consume(10, 0.2)), None)}[sys.argv[1]]
until = time.monotonic() + 30
found = None
while found is None and time.monotonic() < until:
    found = read()
(there,) = consumer.position([TopicPartition("t", 0)])
print(f"{version()} {sys.argv[1]}: offset {found.offset()}, position {there.offset}")
consumer.close()
PY
for version in 2.13.0 2.13.2; do
    python3 -m venv "$place/$version"
    "$place/$version/bin/python" -m pip install -q --disable-pip-version-check "confluent-kafka==$version"
    for way in poll consume; do
        "$place/$version/bin/python" "$place/position.py" "$way" 2>/dev/null
    done
done > "$place/found"
cat "$place/found"
diff - "$place/found" <<'END'
2.13.0 poll: offset 1000, position -1001
2.13.0 consume: offset 1000, position 1001
2.13.2 poll: offset 1000, position -1001
2.13.2 consume: offset 1000, position -1001
END
