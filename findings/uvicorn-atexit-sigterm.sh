#!/bin/sh
# What Python does at exit (atexit) is done when uvicorn is stopped by SIGINT, as by Ctrl-C, and not when it is stopped by
# SIGTERM, as every init system and every container engine stops it. So what a client flushes at exit, such as a producer
# of Kafka's, is lost in production, and never on a developer's machine. Nothing is logged.
#
# Versions: uvicorn 0.54.0, Python 3.11 or later.
#
# What happens: uvicorn ends in good order, runs the shutdown of the lifespan, and then raises the signal that it got once
# more, with the handler that was there before. That of SIGINT raises KeyboardInterrupt, which uvicorn catches. That of
# SIGTERM ends the process by the signal, without the end of the interpreter. Processes of --workers do the same.
# gunicorn's sync workers, in comparison, end by sys.exit, and run it.
#
# Output seen:
#   INT: lifespan atexit
#   TERM: lifespan
#   TERM, 2 workers: lifespan lifespan
#
# Exits with 0 as long as that is so. Needs Python 3.11 and the network (PyPI); takes half a minute.
set -eu
place=$(mktemp -d)
server=
trap 'test -z "$server" || kill -9 "$server" 2>/dev/null || true; rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/python" -m pip install -q uvicorn==0.54.0
cd "$place"
cat > app.py <<'PY'
import atexit


def note(what):
    with open("notes", "a") as file:
        file.write(what + "\n")


atexit.register(note, "atexit")


async def app(scope, receive, send):
    assert scope["type"] == "lifespan"
    await receive()
    note("started")
    await send({"type": "lifespan.startup.complete"})
    await receive()
    note("lifespan")
    await send({"type": "lifespan.shutdown.complete"})
PY

# told SIGNAL PROCESSES [OPTION...]: start it, wait until so many are up, stop it, and say what was done at the end.
told() {
    number=$1 processes=$2
    shift 2
    : > notes
    venv/bin/python -m uvicorn --log-level error --port 0 "$@" app:app 2> /dev/null &
    server=$!
    turn=0
    until [ "$(grep -c started notes)" -eq "$processes" ]; do
        turn=$((turn + 1))
        test $turn -lt 600 || { echo "it does not start" >&2; exit 1; }
        sleep 0.1
    done
    kill -"$number" "$server"
    wait "$server" || true
    server=
    grep -v started notes | sort -r | tr '\n' ' '
}

by_int=$(venv/bin/python - <<'PY'
import signal, subprocess, sys, time
from pathlib import Path

# From Python, since a shell's background jobs ignore SIGINT.
Path("notes").write_text("")
server = subprocess.Popen([sys.executable, "-m", "uvicorn", "--log-level", "error", "--port", "0", "app:app"])
limit = time.monotonic() + 60
while "started" not in Path("notes").read_text():
    assert time.monotonic() < limit
    time.sleep(0.1)
server.send_signal(signal.SIGINT)
server.wait(60)
print(*(line for line in Path("notes").read_text().split() if line != "started"))
PY
)
by_term=$(told TERM 1)
of_two=$(told TERM 2 --workers 2)
echo "INT: $by_int"
echo "TERM: $by_term"
echo "TERM, 2 workers: $of_two"
test "$by_int" = "lifespan atexit"
test "$by_term" = "lifespan "
test "$of_two" = "lifespan lifespan "
