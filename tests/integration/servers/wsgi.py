"""An application for a WSGI server. It has announced something before the server forks, if that imports it first."""

from __future__ import annotations

from flask import Flask

from integration.servers.signals import EARLY, Ticked
from oyez.producers.flask import Oyez

app = Flask(__name__)
oyez = Oyez(app)


@app.post("/<int:n>")
def tick(n: int) -> str:
    return oyez.announcer.announce(Ticked(n=n))


with app.app_context():
    oyez.announcer.announce(Ticked(n=EARLY))
