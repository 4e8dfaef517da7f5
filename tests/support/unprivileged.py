"""Processes for which the modes of files count, also where the tests are run by root."""

from __future__ import annotations

import ctypes
import os
import struct

_DROP = 24  # PR_CAPBSET_DROP
_VERSION = 0x20080522  # _LINUX_CAPABILITY_VERSION_3
_OVERRIDES = (1, 2)  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH: what lets root read and write anything


def modes_count() -> None:
    """This process, and for `preexec_fn` the program that it becomes, has no more rights to files than their modes give
    to it."""
    if os.geteuid() != 0:
        return
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in _OVERRIDES:
        if libc.prctl(_DROP, capability, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "root cannot give up its rights here")
    _give_up(libc)


def _give_up(libc: ctypes.CDLL) -> None:
    """What this process may do itself; the rest is for programs that it runs."""
    header = struct.pack("Ii", _VERSION, 0)
    found = ctypes.create_string_buffer(
        24
    )  # effective, permitted, inheritable; then the same for higher numbers
    if libc.capget(header, found) != 0:
        raise OSError(ctypes.get_errno(), "what root may do cannot be asked for here")
    effective, *rest = struct.unpack("6I", found.raw)
    for capability in _OVERRIDES:
        effective &= ~(1 << capability)
    if libc.capset(header, struct.pack("6I", effective, *rest)) != 0:
        raise OSError(ctypes.get_errno(), "root cannot give up its rights here")
