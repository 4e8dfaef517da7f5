"""The same with Celery: a task notes the id of what it has announced. SOAK_QUEUE and SOAK_NOTES say where."""

from __future__ import annotations

import os

from celery import Celery

from integration.rows.scripted_app import Placed
from oyez.producers.celery import Oyez
from producers.tasks.files import BROKER, queue_in

app = Celery("soak", broker=BROKER)
app.conf.update(broker_transport_options=queue_in(os.environ["SOAK_QUEUE"]), task_ignore_result=True)
oyez = Oyez()


@app.task(name="place")
def place(n: int) -> None:
    oyez.announcer.announce(Placed, {"n": n})
    notes = os.open(os.environ["SOAK_NOTES"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(notes, f"{n}\n".encode())
    os.close(notes)
