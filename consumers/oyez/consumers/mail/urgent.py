"""What a worker does for the mail queue: it sends what is urgent in its sweeps, instead of the next batch."""

from __future__ import annotations

import time
from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError

from ..database import mails
from ..database.clock import Clock
from ..database.engine import Database, DatabaseAway
from ..database.mails import URGENT
from ..instrumentation.emitter import Instrument
from ..instrumentation.events import MailServerLost, MailsSent
from .assembly import sender_for
from .errors import MailServerAway, MailSettingsWrong, SenderBusy, SenderUnset
from .sender import Order, Sender, Tally
from .server_words import line_of
from .settings import MailSettings

MOST = 100  # mails in one sweep
SECONDS = 2.0  # that one sweep sends, at most; a mail that was begun is finished
TIMEOUT = 2.0  # s; that each answer of the server may take while it is connected to: events wait meanwhile
REST = 60.0  # s; after a server could not be reached


class UrgentMail:
    """A task of each sweep: one look for mails of the highest priority, and no connection where there are none."""

    idle = 0.0

    def __init__(
        self,
        group: str,
        settings: MailSettings,
        instrument: Instrument,
        *,
        idle_limit: float,
        clock: Clock | None = None,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._group = group
        self._settings = settings
        self._emit = instrument.emit
        self._idle_limit = idle_limit
        self._clock = clock
        self._timer = timer
        self._rest_until = self._quiet_until = float("-inf")
        self._sender: Sender | None = None

    def step(self, database: Database, now: float) -> bool:
        """Send what is urgent; always the end."""
        if self._timer() < self._rest_until:
            return False
        with database.reading() as db:
            if not mails.is_due(db, now, URGENT):
                return False
        tally = Tally()
        until = self._timer() + SECONDS
        try:
            order = Order(
                MOST, URGENT, stopped=lambda: self._timer() > until or database.gives_up(), timeout=0.0
            )
            self._made(database).run(order, tally)
        except SenderBusy:
            pass  # who is at work takes what is urgent first
        except (DatabaseAway, SQLAlchemyError):
            raise
        except SenderUnset as error:
            self._say_unset(str(error))  # all others were sent
        except (MailServerAway, MailSettingsWrong) as error:
            self._rest(str(error))
        except Exception as error:  # noqa: BLE001 # no trouble with mail ends a worker
            self._rest(f"{type(error).__name__}: {line_of(error)}")
        if not tally.is_empty:
            self._emit(MailsSent(self._group, tally.sent, tally.delayed, tally.failed, tally.unsure))
        return False

    def _say_unset(self, error: str) -> None:
        """Each mail that names nobody is tried again from time to time: not each time is worth a line."""
        if self._timer() >= self._quiet_until:
            self._quiet_until = self._timer() + REST
            self._emit(MailServerLost(self._group, error))

    def _rest(self, error: str) -> None:
        self._rest_until = self._timer() + REST
        self._emit(MailServerLost(self._group, error))

    def _made(self, database: Database) -> Sender:
        if self._sender is None:
            self._sender = sender_for(
                self._settings,
                database,
                idle_limit=self._idle_limit,
                timeout=min(TIMEOUT, self._settings.mail_timeout),
                clock=self._clock,
            )
        return self._sender


def urgent_mail(
    group: str,
    settings: MailSettings,
    instrument: Instrument,
    clock: Clock,
    *,
    idle_limit: float,
) -> list[UrgentMail]:
    """The task of a group's workers, where a mail server is set. ``idle_limit``: seconds that the database lets a
    transaction stand idle."""
    if settings.mail_host is None:
        return []
    return [UrgentMail(group, settings, instrument, idle_limit=idle_limit, clock=clock)]
