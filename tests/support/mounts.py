"""Commands that have mounts of their own."""

from __future__ import annotations

import os
import shutil
import subprocess


def unshare() -> list[str]:
    """What runs a command with mounts of its own: by root, or by whoever may be root there."""
    return ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]


def can_mount() -> bool:
    """Whether this machine lets us."""
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*unshare(), "true"], capture_output=True, check=False).returncode == 0
