#!/bin/sh
# A typer program completes nothing in bash once an earlier argument has a colon in it.
#
# Versions: typer 0.29.2 (which has click in it), bash 5.
#
# What happens: bash splits the words of a line also at the characters of COMP_WORDBREAKS, and a colon is one of them. A
# completion function finds `--app`, `shop`, `:`, `on` in COMP_WORDS. The script that typer writes for bash hands these on
# as they are, and neither COMP_LINE nor COMP_POINT, so the program cannot know what was typed. It takes `:` for the name
# of a command, there is none, and nothing is offered. Without a colon in the line the same argument is completed.
#
# Output seen:
#   demo --app shop greet : ada
#   demo --app shop:on greet : nothing
#
# Exits with 0 as long as that is so. Needs Python 3.11, bash and the network (PyPI); takes some seconds.
set -eu
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/python" -m pip install -q typer==0.29.2
cat > "$place/venv/bin/demo" <<PY
#!$place/venv/bin/python
import typer

program = typer.Typer()


@program.callback()
def begin(app: str = "") -> None: ...


@program.command()
def greet(name: str = typer.Argument(autocompletion=lambda: ["ada"])) -> None: ...


@program.command()
def leave() -> None: ...


program(prog_name="demo")
PY
chmod +x "$place/venv/bin/demo"
cat > "$place/typed.py" <<'PY'
"""What a bash offers for a line, when somebody presses the tab key twice behind it."""
import os, pty, re, select, sys, time

line, script = sys.argv[1:]
child, terminal = pty.fork()
if child == 0:
    os.environ |= {"PS1": "ready> ", "TERM": "dumb"}
    os.execvp("bash", ["bash", "--norc", "--noprofile", "-i"])


def until(sign: str) -> str:
    said, end = "", time.monotonic() + 30
    while sign not in said and time.monotonic() < end:
        if select.select([terminal], [], [], 1)[0]:
            said += os.read(terminal, 65536).decode(errors="replace")
    return said


until("ready> ")
os.write(terminal, f"bind 'set bell-style none'; source {script}; echo so''urced\n".encode())
until("sourced")
until("ready> ")
os.write(terminal, f"{line} \t\x01echo [\x05]\n".encode())  # what stands there then is printed, between brackets
said = until("]\r\nready> ")
found = re.findall(r"\n\[?%s ?([a-z]*) ?\]" % re.escape(line), said.replace("[", "\n["))
print(line, ":", found[-1] if found and found[-1] else "nothing")
os.write(terminal, b"exit\n")
PY
export PATH="$place/venv/bin:$PATH"
_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION=1 demo --show-completion bash > "$place/script"
seen=$(for line in "demo --app shop greet" "demo --app shop:on greet"; do python3 "$place/typed.py" "$line" "$place/script"; done)
echo "$seen"
test "$seen" = "demo --app shop greet : ada
demo --app shop:on greet : nothing"
