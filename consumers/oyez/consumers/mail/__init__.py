"""The mail queue: handlers queue mails in their transaction, senders send them in batches."""

from .attachments import Attachment
from .errors import MailRefused
from .mail import Mail

__all__ = ["Attachment", "Mail", "MailRefused"]
