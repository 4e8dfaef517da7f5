#!/bin/sh
# A Python process under libfaketime cannot both sleep and wait: it depends on FAKETIME_DONT_FAKE_MONOTONIC which of the
# two fails.
#
# Versions: libfaketime 0.9.10 (Debian 12's package 0.9.10-2.1), CPython 3.11 on glibc 2.36.
#
# What happens, with FAKETIME="+1d":
#   - The monotonic clock is left alone (FAKETIME_DONT_FAKE_MONOTONIC=1): `time.sleep` fails with EINVAL. CPython 3.11
#     sleeps by clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME). `threading.Event.wait` is right.
#   - It is faked too, which is the default: `time.sleep` is right, and `threading.Event.wait(0.05)` does not come back
#     (here: within 10 s). CPython waits by sem_clockwait(CLOCK_MONOTONIC), whose deadline is then a day away.
# So clocks that are shifted in tests of Python programs have to be injected in Python.
#
# Output seen:
#   monotonic left alone: sleep fails with errno 22, wait returns
#   monotonic faked too: sleep returns, wait does not return
#
# Exits with 0 as long as that is so. Needs Debian 12's apt, Python 3.11 and the network; takes 12 s.
set -eu
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
apt-get download -q libfaketime=0.9.10-2.1 >/dev/null 2>&1
dpkg-deb --extract libfaketime_*.deb .
library=$(echo "$place"/usr/lib/*/faketime/libfaketime.so.1)
cat > try.py <<'PY'
import threading
import time

try:
    time.sleep(0.01)
    print("sleep returns", end=", ", flush=True)
except OSError as error:
    print(f"sleep fails with errno {error.errno}", end=", ", flush=True)
threading.Event().wait(0.05)
print("wait returns", flush=True)
PY
shifted() { LD_PRELOAD="$library" FAKETIME="+1d" timeout 10 python3 try.py || echo "wait does not return"; }
{
    printf 'monotonic left alone: '
    FAKETIME_DONT_FAKE_MONOTONIC=1 shifted
    printf 'monotonic faked too: '
    shifted
} | tee seen
cat > wanted <<'TEXT'
monotonic left alone: sleep fails with errno 22, wait returns
monotonic faked too: sleep returns, wait does not return
TEXT
diff wanted seen
