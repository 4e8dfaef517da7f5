#!/bin/sh
# The first event of a new idempotent producer takes half a second longer if it is produced at once.
#
# Versions: confluent-kafka 2.16.1 (librdkafka 2.16.0). The cluster is librdkafka's own mock, in the client's process.
#
# What happens: the producer asks for its id as soon as the first metadata has come. At that moment the client leaves the
# bootstrap address, which counts as a broker of its own, and is not connected yet to the broker that the metadata names
# ("No brokers available for Idempotent producer"). It tries again after 500 ms. If no topic was asked for in that first
# question, a second one follows when that broker is connected, and the id is asked for then. So a producer that waits for
# 0.1 s before the first produce(), or calls list_topics(topic) twice, delivers it at once. list_topics(topic) called once
# helps now and then only. Without idempotence there is no such wait.
#
# Output seen (of 10 producers, those whose first event took longer than 0.4 s):
#   produced at once: most
#   produced after 0.1 s: none
#   list_topics(topic) twice before: none
#   produced at once, not idempotent: none
#
# Exits with 0 as long as that is so. Needs Python 3.11 and the network (PyPI); takes some seconds.
set -eu
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/python" -m pip install -q confluent-kafka==2.16.1
"$place/venv/bin/python" - <<'PY' 2> "$place/log" | tee "$place/seen"
import time

from confluent_kafka import Producer


def is_slow(before, idempotent):
    config = {"test.mock.num.brokers": 1, "bootstrap.servers": "mock", "enable.idempotence": idempotent}
    producer = Producer(config)
    before(producer)
    begun = time.monotonic()
    producer.produce("opened", b"x")
    assert producer.flush(10) == 0
    return time.monotonic() - begun > 0.4


def say(what, before, idempotent=True):
    slow = sum(is_slow(before, idempotent) for _ in range(10))
    print(f"{what}: {'none' if slow == 0 else 'most' if slow > 5 else slow}", flush=True)


def twice(producer):
    producer.list_topics("opened", timeout=5)
    producer.list_topics("opened", timeout=5)


say("produced at once", lambda producer: None)
say("produced after 0.1 s", lambda producer: time.sleep(0.1))
say("list_topics(topic) twice before", twice)
say("produced at once, not idempotent", lambda producer: None, idempotent=False)
PY
cat > "$place/expected" <<'END'
produced at once: most
produced after 0.1 s: none
list_topics(topic) twice before: none
produced at once, not idempotent: none
END
diff "$place/expected" "$place/seen"
