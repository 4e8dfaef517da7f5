"""Tasks that announce whose they are. CELERY_QUEUE names the folder of the queue."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery

from oyez.producers import visitor_session
from oyez.producers.celery import Oyez
from oyez.schemas import Signal
from producers.tasks.files import BROKER, queue_in


class Noted(Signal, name="tasks.noted"):
    what: str


app = Celery("noting", broker=BROKER)
app.conf.update(
    broker_transport_options=queue_in(os.environ.get("CELERY_QUEUE", "queue")),
    task_ignore_result=True,
)
oyez = Oyez()


@app.task
def note(what: str) -> None:
    oyez.announcer.announce(Noted(what=what))


@app.task
def fail(what: str) -> None:
    note.run(what)
    raise LookupError(what)


@app.task(bind=True)
def try_again(self: Any, what: str) -> None:
    note.run(f"{what} {self.request.retries}")
    if self.request.retries < 2:
        with visitor_session("somebody else"):
            raise self.retry(countdown=0)


@app.task
def publish(what: str) -> None:
    with visitor_session("inner"):
        note.delay(f"{what} inner")
    note.delay(f"{what} outer")
