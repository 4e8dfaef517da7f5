"""What was announced arrives although nobody closes the announcer, whatever kind of process ends."""

import subprocess
import sys
from textwrap import dedent

import pytest

from producers.kafka.test_transport import records

HEAD = """
import gc, multiprocessing, os, sys
from oyez.producers import Announcer
from oyez.producers.kafka.transport import KafkaTransport
from oyez.schemas import Signal

class Ticked(Signal, name="ticked"):
    by: str

def tick(by):
    announcer.announce(Ticked(by=by), key="k")

announcer = Announcer(KafkaTransport(sys.argv[1]), source="web-1", topic=sys.argv[2])
"""
PLAIN = """
tick("parent")
"""
FORK = """
tick("parent")
child = os.fork()
if child == 0:
    gc.collect()  # whatever of the parent's client could be destroyed here would be
    tick("child")
    sys.exit(0)
tick("parent")
assert os.waitpid(child, 0)[1] == 0
"""
LEFT_IN_A_CYCLE = """
import weakref

class Kept:  # an error that holds a client, say
    pass

kept = Kept()
kept.itself = kept
tick("parent")
child = os.fork()
if child == 0:
    there = weakref.ref(kept)
    del kept
    gc.collect()
    assert there() is not None, "it was collected"
    sys.exit(0)
assert os.waitpid(child, 0)[1] == 0
"""
MULTIPROCESSING = """
def work(name):
    own = Announcer(KafkaTransport(sys.argv[1]), source="own", topic=sys.argv[2])
    own.announce(Ticked(by="child"))
    tick(name)

tick("parent")
child = multiprocessing.get_context("fork").Process(target=work, args=("child",))
child.start()
child.join(60)
assert child.exitcode == 0, child.exitcode
"""


@pytest.mark.parametrize(
    ("script", "count"), [(PLAIN, 1), (FORK, 3), (LEFT_IN_A_CYCLE, 1), (MULTIPROCESSING, 3)]
)
def test_the_flush_at_exit(kafka: str, topic: str, script: str, count: int) -> None:
    done = run(script, kafka, topic)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(records(kafka, topic, count)) == count


WITHOUT_ARRIVAL = """
class Lossy:
    def report_to(self, report):
        self.report = report
    def send(self, topic, key, value):
        self.value = value
    def flush(self, timeout):
        self.report(self.value, "gone")
    close = flush

announcer = Announcer(Lossy(), source="web-1")
tick("parent")
"""


def test_what_did_not_arrive_is_reported_at_exit() -> None:
    done = run(WITHOUT_ARRIVAL, "127.0.0.1:1", "none")
    assert "(key k) did not arrive: gone" in done.stderr
    assert "at exit: 1 announced events did not arrive: gone" in done.stderr


def run(script: str, kafka: str, topic: str) -> subprocess.CompletedProcess[str]:
    """Run a script of its own after HEAD, for at most a minute."""
    command = [sys.executable, "-c", dedent(HEAD + script), kafka, topic]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
