"""Exim."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from integration.mail.real_server import DOMAIN, Kind, owned

USER = 30_003
CONFIGURATION = """\
primary_hostname = mail.example
spool_directory = /var/spool/exim4
log_file_path = /var/log/exim4/%slog
daemon_smtp_ports = {port}
local_interfaces = 127.0.0.1
host_lookup =
rfc1413_query_timeout = 0s
tls_advertise_hosts =
smtp_accept_queue_per_connection = 0
domainlist ours = {domain}
acl_smtp_rcpt = take
{settings}

begin acl
take:
  accept domains = +ours
  deny message = relay not permitted

begin routers
all:
  driver = accept
  transport = box

begin transports
box:
  driver = appendfile
  maildir_format
  directory = /home/box/Maildir
  create_directory
  user = box
  group = box
"""


def configure(root: Path, port: int, settings: str) -> Sequence[str]:
    """``settings`` are lines of the main part."""
    place = root / "etc/exim4/exim4.conf"
    place.write_text(CONFIGURATION.format(port=port, domain=DOMAIN, settings=settings))
    place.chmod(0o644)
    for name in ("var/spool/exim4", "var/log/exim4"):
        shutil.rmtree(root / name, ignore_errors=True)
        owned(root / name, USER, USER, 0o750)
    return ("/usr/sbin/exim4", "-bdf", "-q30m")


EXIM = Kind("exim", ["exim4-daemon-light"], {"Debian-exim": USER}, configure)
