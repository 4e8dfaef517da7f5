"""The mail queue: handlers queue mails in their transaction, senders send them in batches."""

from typing import TYPE_CHECKING

from oyez.producers.when_used import names_when_used

if TYPE_CHECKING:
    from .attachments import Attachment
    from .errors import MailRefused
    from .mail import Mail

__all__ = ["Attachment", "Mail", "MailRefused"]

if not TYPE_CHECKING:  # a type checker would believe that every name is there
    __getattr__, __dir__ = names_when_used(
        __name__, {"Attachment": ".attachments", "Mail": ".mail", "MailRefused": ".errors"}
    )
