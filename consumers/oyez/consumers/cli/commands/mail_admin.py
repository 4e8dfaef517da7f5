"""`oyez mail hold|release|cancel|retry|purge`."""

from __future__ import annotations

from operator import itemgetter

from ...admin import Steps
from ...admin.mail import CANCEL, HOLD, PURGE, RELEASE, RETRY, MailMove, MailOperation, within
from ...database import Database as Transactions
from ...database import mail_filter
from ...database.clock import DatabaseClock
from ...database.mail_filter import MailFilter
from ...settings import ListenSettings
from ..common import output, probes
from ..common.ages import by_database
from ..common.bulk import BULK, BulkOptions, apply, end_if_busy
from ..common.bundles import Command, taking
from ..common.errors import UsageProblem
from ..common.options import settings_by
from .mail_filter import MAIL_FILTER


def _command(move: MailMove, done: str, text: str) -> Command:
    """A command that makes this move with what its filter finds; ``done`` is what a mail is then."""

    @taking(MAIL_FILTER, BULK, settings_by("database"))
    def command(
        *,
        wanted: MailFilter,
        options: BulkOptions,
        settings: ListenSettings,
    ) -> None:
        chosen = _within(move, wanted)
        with probes.engine_of(settings) as engine:
            database = Transactions(engine)
            with database.reading() as db:
                chosen = by_database(chosen, db)
                ids = mail_filter.chosen(db, chosen)
            steps, operation = Steps(database), MailOperation(move, DatabaseClock())
            tally = apply(
                move.name,
                ids,
                options,
                lambda advance: steps.apply(operation, ids, chosen, advance),
                noun="mail",
            )
        row = {"matched": len(ids), **({} if options.dry_run else {done: tally.done, "busy": tally.busy})}
        if options.as_json:
            output.json_array([row])
        else:
            output.table([row], [output.Column(name, itemgetter(name)) for name in row], empty="")
        end_if_busy(tally, "mail")

    command.__doc__ = text
    return command


def _within(move: MailMove, wanted: MailFilter) -> MailFilter:
    try:
        return within(move, wanted)
    except ValueError as error:
        raise UsageProblem(f"--state: {error}") from None


mail_hold = _command(HOLD, "held", "Hold mails that wait: they are not sent until they are released.")
mail_release = _command(
    RELEASE,
    "released",
    "Let mails be sent that are held. With --state unsure: those that may have been sent, which are sent again.",
)
mail_cancel = _command(
    CANCEL,
    "canceled",
    "Cancel mails that wait, are held, may have been sent or have failed: they will not be sent.",
)
mail_retry = _command(
    RETRY,
    "retried",
    "Try failed mails again, and delayed ones at once, for the recipients who do not have them.",
)
mail_purge = _command(
    PURGE, "purged", "Delete mails that were sent or canceled; failed ones with --state failed."
)
