#!/bin/sh
# flush() of a producer that dies of a fatal error loses the delivery report of one message.
#
# Versions: confluent-kafka 2.16.1 (librdkafka 2.16.0). The cluster is librdkafka's own mock, in the client's process; the
# fatal error is made by rd_kafka_test_fatal_error(), as librdkafka's own tests do it.
#
# What happens: error_cb() of confluent-kafka raises a fatal error, and leaves it set in the thread. It calls rd_kafka_yield(),
# at which rd_kafka_flush() and rd_kafka_poll() return. But flush(timeout) with 0.2 s and more is a loop of such calls, of 0.2 s
# each, which ends for a signal, not for an error that is set. So the next delivery report is called with the error set: the
# interpreter ends it with a SystemError as soon as it looks. That report is fetched, and gone; what it was to do is done in part
# or not at all. The reports after it come as they should. flush() with less than 0.2 s is one call, and poll() ends its loop as
# soon as something was served: neither loses anything, also when called again and again.
#
# Output seen (reports that came, of 5 messages, from 20 producers):
#   flush(5): 80
#   flush(0.1), again and again: 100
#   poll(0.1), again and again: 100
#
# Exits with 0 as long as that is so. Needs Python 3.11 and the network (PyPI); takes some seconds.
set -eu
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/python" -m pip install -q confluent-kafka==2.16.1
"$place/venv/bin/python" - <<'PY' 2> "$place/log" | tee "$place/seen"
import ctypes

import confluent_kafka
from confluent_kafka import KafkaException, Producer

library = ctypes.CDLL(confluent_kafka.cimpl.__file__)


def die(producer):
    handle = ctypes.c_void_p.from_address(id(producer) + object.__basicsize__)
    library.rd_kafka_test_fatal_error(handle, 47, b"fenced")


def reports(wait):
    came = []
    producer = Producer(
        {
            "test.mock.num.brokers": 1,
            "bootstrap.servers": "mock",
            "enable.idempotence": True,
            "linger.ms": 10000,
            # A call by way of a tuple is looked at by the interpreter, however often it was made.
            "on_delivery": lambda _error, message: came.append(bytes(*[message.value()])),
        }
    )
    for n in range(5):
        producer.produce("opened", b"%d" % n)
    die(producer)
    for _ in range(50):
        if not len(producer):
            break
        try:
            wait(producer)
        except (KafkaException, SystemError):
            pass
    return len(came)


def say(what, wait):
    print(f"{what}: {sum(reports(wait) for _ in range(20))}", flush=True)


say("flush(5)", lambda producer: producer.flush(5))
say("flush(0.1), again and again", lambda producer: producer.flush(0.1))
say("poll(0.1), again and again", lambda producer: producer.poll(0.1))
PY
cat > "$place/expected" <<'END'
flush(5): 80
flush(0.1), again and again: 100
poll(0.1), again and again: 100
END
diff "$place/expected" "$place/seen"
