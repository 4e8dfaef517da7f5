"""A shop with Flask, for gunicorn: each request is announced under its visitor's key."""

from __future__ import annotations

from flask import Flask

from integration.rows.scripted_app import Placed
from oyez.producers.flask import Oyez
from oyez.producers.web import cookie

app = Flask(__name__)
oyez = Oyez(app, key=cookie("sid"))


@app.get("/<int:n>")
def place(n: int) -> str:
    return oyez.announcer.announce(Placed, {"n": n})
