"""`oyez mail hold|release|cancel|retry|purge`."""

from __future__ import annotations

import time
from operator import itemgetter

import typer

from ...admin import Steps
from ...admin import Tally as Pulled
from ...admin.mail import CANCEL, HOLD, PURGE, RELEASE, RETRY, MailOperation, Move, within
from ...database import Database as Transactions
from ...database import mail_filter
from ...database.mail_filter import MailFilter
from ...settings import ListenSettings
from ..common import output, probes
from ..common.bulk import DryRun, Yes
from ..common.confirming import confirm, progress, several
from ..common.exits import FAILED, UsageProblem
from ..common.options import Database, Json, settings_from
from .mail_filter import mail_filtered

DONE = {"hold": "held", "release": "released", "cancel": "canceled", "retry": "retried", "purge": "purged"}


@mail_filtered
def mail_hold(
    context: typer.Context,
    wanted: MailFilter,
    dry_run: DryRun = False,
    yes: Yes = False,
    database: Database = None,
    as_json: Json = False,
) -> None:
    """Hold mails that wait: they are not sent until they are released."""
    _act(HOLD, settings_from(context, database=database), wanted, dry_run=dry_run, yes=yes, as_json=as_json)


@mail_filtered
def mail_release(
    context: typer.Context,
    wanted: MailFilter,
    dry_run: DryRun = False,
    yes: Yes = False,
    database: Database = None,
    as_json: Json = False,
) -> None:
    """Let mails be sent that are held. With --state unsure those that may have been sent, which are sent again."""
    _act(
        RELEASE, settings_from(context, database=database), wanted, dry_run=dry_run, yes=yes, as_json=as_json
    )


@mail_filtered
def mail_cancel(
    context: typer.Context,
    wanted: MailFilter,
    dry_run: DryRun = False,
    yes: Yes = False,
    database: Database = None,
    as_json: Json = False,
) -> None:
    """Cancel mails that wait, are held, may have been sent or have failed: they will not be sent."""
    _act(CANCEL, settings_from(context, database=database), wanted, dry_run=dry_run, yes=yes, as_json=as_json)


@mail_filtered
def mail_retry(
    context: typer.Context,
    wanted: MailFilter,
    dry_run: DryRun = False,
    yes: Yes = False,
    database: Database = None,
    as_json: Json = False,
) -> None:
    """Try failed mails again, and delayed ones at once, for the recipients who do not have them."""
    _act(RETRY, settings_from(context, database=database), wanted, dry_run=dry_run, yes=yes, as_json=as_json)


@mail_filtered
def mail_purge(
    context: typer.Context,
    wanted: MailFilter,
    dry_run: DryRun = False,
    yes: Yes = False,
    database: Database = None,
    as_json: Json = False,
) -> None:
    """Delete mails that were sent or canceled; failed ones with --state failed."""
    _act(PURGE, settings_from(context, database=database), wanted, dry_run=dry_run, yes=yes, as_json=as_json)


def _act(
    move: Move, settings: ListenSettings, wanted: MailFilter, *, dry_run: bool, yes: bool, as_json: bool
) -> None:
    """Count, ask, do, and say what was done."""
    try:
        wanted = within(move, wanted)
    except ValueError as error:
        raise UsageProblem(f"--state: {error}") from None
    probes.database(settings)
    engine = probes.reached(settings)
    try:
        database = Transactions(engine)
        with database.reading() as db:
            ids = mail_filter.chosen(db, wanted)
        pulled = Pulled()
        if ids and not dry_run:
            confirm(f"{move.name} {several(len(ids), 'mail')}?", yes=yes)
            with progress(move.name, len(ids)) as advance:
                pulled = Steps(database).pull(MailOperation(move, time.time), ids, wanted, advance)
    finally:
        engine.dispose()
    row = {"matched": len(ids), **({} if dry_run else {DONE[move.name]: pulled.done, "busy": pulled.busy})}
    if as_json:
        output.json_array([row])
    else:
        output.table([row], [output.Column(name, itemgetter(name)) for name in row], empty="")
    if pulled.busy:
        output.note(f"{several(pulled.busy, 'mail')} were in the hands of others all the time; run it again")
        raise typer.Exit(FAILED)
