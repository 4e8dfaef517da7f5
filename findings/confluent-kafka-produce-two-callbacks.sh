#!/bin/sh
# produce(callback=None, on_delivery=told) never tells; and headers are not where produce()'s documentation has them.
#
# Versions: confluent-kafka 2.16.1 (librdkafka 2.16.0). The cluster is librdkafka's own mock, in the client's process.
#
# What happens: produce() is documented as (topic, value, key, partition, on_delivery, timestamp, headers), with `callback` as
# another name of `on_delivery`. They are two parameters, `callback` at position 5 and `on_delivery` at 6. `on_delivery` counts
# only if `callback` was not given at all: None is as good as a function. So who passes on what may be None by both names
# loses all delivery reports without a word. And who passes arguments in the order of the documentation gets a TypeError for the
# headers, which are the eighth, not the seventh.
# (By position a call with headers takes about two thirds of the time of one with `headers=`, which is why one would.)
#
# Output seen:
#   on_delivery: 1 report
#   callback=None, on_delivery: 0 reports
#   in the documented order: TypeError
#   with two callbacks in between: 0 reports, headers [('name', b'value')]
#
# Exits with 0 as long as that is so. Needs Python 3.11 and the network (PyPI); takes some seconds.
set -eu
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/python" -m pip install -q confluent-kafka==2.16.1
"$place/venv/bin/python" - <<'PY' 2> "$place/log" | tee "$place/seen"
from confluent_kafka import Consumer, Producer

BROKER = {"test.mock.num.brokers": 1, "bootstrap.servers": "mock"}
HEADERS = [("name", b"value")]


def tried(what, *given, seen=lambda producer: "", **named):
    producer, told = Producer(BROKER), []
    if "on_delivery" in named:
        named["on_delivery"] = lambda _error, _message: told.append(1)
    try:
        producer.produce("opened", b"value", b"key", *given, **named)
    except TypeError:
        print(f"{what}: TypeError", flush=True)
        return
    assert producer.flush(10) == 0
    print(f"{what}: {len(told)} report{'' if len(told) == 1 else 's'}{seen(producer)}", flush=True)


def headers(producer):
    brokers = producer.list_topics(timeout=10).brokers.values()
    servers = ",".join(f"{broker.host}:{broker.port}" for broker in brokers)
    consumer = Consumer({"bootstrap.servers": servers, "group.id": "g", "auto.offset.reset": "earliest"})
    consumer.subscribe(["opened"])
    message = consumer.poll(30)
    consumer.close()
    return f", headers {message.headers()}"


tried("on_delivery", on_delivery=True)
tried("callback=None, on_delivery", callback=None, on_delivery=True)
tried("in the documented order", -1, None, 0, HEADERS)
tried("with two callbacks in between", -1, None, None, 0, HEADERS, seen=headers)
PY
cat > "$place/expected" <<'END'
on_delivery: 1 report
callback=None, on_delivery: 0 reports
in the documented order: TypeError
with two callbacks in between: 0 reports, headers [('name', b'value')]
END
diff "$place/expected" "$place/seen"
