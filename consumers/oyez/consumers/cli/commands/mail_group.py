"""The group of commands `oyez mail`."""

from __future__ import annotations

from ..common.groups import CommandGroup
from .mail_admin import mail_cancel, mail_hold, mail_purge, mail_release, mail_retry
from .mail_list import mail_list, mail_show, mail_status_
from .mail_send import mail_send

MAIL = CommandGroup(
    "mail",
    "Send the mail queue, look at it, and change it.",
    {
        "send": mail_send,
        "status": mail_status_,
        "list": mail_list,
        "show": mail_show,
        "hold": mail_hold,
        "release": mail_release,
        "cancel": mail_cancel,
        "retry": mail_retry,
        "purge": mail_purge,
    },
)
