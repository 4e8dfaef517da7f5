"""Turns itself into a service's program, after tying its life to that of its parent.

Run as a script: `python -I -S guard.py SIGNAL PARENT USER PROGRAM [ARGUMENT...]`. On Linux the kernel
sends SIGNAL to the program when the parent (a process id) ends, however it ends. USER is a user's number to
change to, or `-`.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def main(signal: int, parent: int, user: str, command: list[str]) -> None:
    if user != "-":
        os.setgroups([])
        os.setgid(int(user))
        os.setuid(int(user))
    # After the change of user, which would reset it.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("the parent is gone")
    os.execv(command[0], command)  # noqa: S606 - turning into the program is the point


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:])
