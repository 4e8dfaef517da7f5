"""OpenSMTPD."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from integration.mail.real_server import DOMAIN, Kind, owned

USERS = {"opensmtpd": 30_004, "opensmtpq": 30_005}
CONFIGURATION = """\
listen on 127.0.0.1 port {port} hostname mail.example
table all {{ "@" = "box" }}
action "box" maildir "/home/box/Maildir" virtual <all>
match from any for domain "{domain}" action "box"
{settings}
"""


def configure(root: Path, port: int, settings: str) -> Sequence[str]:
    """``settings`` are lines of smtpd.conf."""
    (root / "etc/smtpd.conf").write_text(CONFIGURATION.format(port=port, domain=DOMAIN, settings=settings))
    (root / "etc/smtpd.conf").chmod(0o644)
    _make_spool(root)
    return ("/usr/sbin/smtpd", "-d")


def _make_spool(root: Path) -> None:
    queue, spool = USERS["opensmtpq"], root / "var/spool/smtpd"
    shutil.rmtree(spool, ignore_errors=True)
    owned(spool, 0, 0, 0o711)
    owned(spool / "offline", 0, queue, 0o770)
    for name in ("purge", "queue", "temporary", "incoming", "corrupt"):
        owned(spool / name, queue, 0, 0o700)
    owned(root / "var/lib/opensmtpd/empty", 0, 0, 0o711)


OPENSMTPD = Kind("opensmtpd", ["opensmtpd"], USERS, configure)
