"""A stop that is noted while somebody waits for it, wherever he is just then."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import signal, sys
from oyez.consumers.core.stop_signals import Stop

def interrupted_at(place):
    \"\"\"Wait, and be sent a signal at the so-manieth instruction of that; whether it came to that.\"\"\"
    stop, steps = Stop(), 0

    def step(frame, event, _argument):
        nonlocal steps
        frame.f_trace_opcodes = True
        if event == "opcode":
            steps += 1
            if steps == place:
                sys.settrace(None)
                signal.raise_signal(signal.SIGTERM)
        return step

    sys.settrace(step)
    stop.wait(0.05)
    sys.settrace(None)
    if steps >= place:
        assert stop() and stop.number == signal.SIGTERM and stop.wait(60), place
    return steps >= place

count = 1
while interrupted_at(count):
    count += 1
print(count)
"""


def test_a_signal_at_any_instruction_of_a_wait_is_noted() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 10


def test_all_who_wait_hear_of_it() -> None:
    program = """
import signal, threading
from oyez.consumers.core.stop_signals import Stop
stop, heard = Stop(), []
threads = [threading.Thread(target=lambda: heard.append(stop.wait(600)), daemon=True) for _ in range(3)]
for thread in threads:
    thread.start()
assert not stop.wait(0.01) and not stop()
signal.raise_signal(signal.SIGINT)
for thread in threads:
    thread.join(60)
assert heard == [True] * 3 and stop.wait(-1) and stop.number == signal.SIGINT
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
