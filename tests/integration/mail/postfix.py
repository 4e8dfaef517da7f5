"""Postfix."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from integration.mail.real_server import BOX, DOMAIN, Kind, owned

USERS = {"postfix": 30_001, "postdrop": 30_002}
PRIVATE = ("hold", "incoming", "active", "deferred", "bounce", "defer", "flush", "trace", "corrupt", "saved")
MAIN = f"""\
compatibility_level = 3.6
myhostname = mail.example
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
mydestination =
alias_maps =
local_recipient_maps =
smtpd_peername_lookup = no
maillog_file = /var/log/postfix.log
default_transport = discard
relay_transport = discard
virtual_mailbox_domains = {DOMAIN}
virtual_mailbox_base = /home/box
virtual_mailbox_maps = static:Maildir/
virtual_uid_maps = static:{BOX}
virtual_gid_maps = static:{BOX}
smtpd_recipient_restrictions = permit_mynetworks, reject
"""
MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
discard unix - - n - - discard
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


def configure(root: Path, port: int, settings: str) -> Sequence[str]:
    """``settings`` are lines of main.cf."""
    (root / "etc/postfix/main.cf").write_text(MAIN + settings)
    (root / "etc/postfix/master.cf").write_text(MASTER.format(port=port))
    _make_queue(root / "var/spool/postfix")
    owned(root / "var/lib/postfix", USERS["postfix"], USERS["postfix"], 0o755)
    return ("/usr/lib/postfix/sbin/master", "-c", "/etc/postfix")


def _make_queue(queue: Path) -> None:
    postfix, postdrop = USERS.values()
    shutil.rmtree(queue, ignore_errors=True)
    owned(queue, 0, 0, 0o755)
    owned(queue / "pid", 0, 0, 0o755)
    for name in (*PRIVATE, "private"):
        owned(queue / name, postfix, postfix, 0o700)
    owned(queue / "maildrop", postfix, postdrop, 0o730)
    owned(queue / "public", postfix, postdrop, 0o710)


POSTFIX = Kind("postfix", ["postfix"], USERS, configure)
