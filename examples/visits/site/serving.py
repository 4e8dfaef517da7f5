"""The site as a server: with a collector and workers of its own, or beside those that run elsewhere."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette

from oyez.producers.collector import CollectSettings, collector, listening, server
from oyez.schemas import catalogue
from visits import database, processes
from visits.kafka import Topic
from visits.processes import OYEZ, Child, ended_together
from visits.site.signals import ANNOUNCED
from visits.site.tables import metadata
from visits.site.web import KEY, site
from visits.work import Work

HOST = "127.0.0.1"
APP = "visits.site.handlers:on"
TOPIC = "visits-site"
PARTITIONS = 4
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a site keeps things. Without `kafka` its events go through files in the folder."""

    work: Work
    kafka: str
    database: str

    @property
    def settings(self) -> dict[str, Any]:
        """Those of all who announce and listen."""
        own = {"app": APP, "topic": TOPIC, "database": self.database}
        if self.kafka:
            return {**own, "transport": "kafka", "kafka": self.kafka}
        return {**own, "transport": "spool", "spool": str(self.work.spool.absolute())}


def serve_all(place: Place, port: int, say: Say) -> None:
    """Serve the site with a collector within, and handle what comes, until SIGTERM or SIGINT. VisitsError, or
    SettingsError: something cannot be had."""
    place.work.create()
    with closing(listening(HOST, port)) as taken:
        settings = _settings(place, taken.getsockname()[1])
        if place.kafka:
            Topic(place.kafka, TOPIC, settings.kafka_options).create(PARTITIONS)
        engine = database.opened(place.database)
        with database.connected(engine):
            pass  # it is there: `oyez db upgrade` need not find that out
        processes.upgrade_database(place.database)
        metadata.create_all(engine)
        with _workers(place):
            _serve(site(engine, collector(settings)), settings, taken, say)


def serve_pages(url: str, port: int, beside: str, say: Say) -> None:
    """Serve the pages and the report of a database alone: a collector is at the address `beside`, and workers are
    elsewhere."""
    engine = database.opened(url)
    with database.connected(engine) as db:
        metadata.create_all(db)
    with closing(listening(HOST, port)) as taken:
        _serve(site(engine, beside), CollectSettings(), taken, say)


def _settings(place: Place, port: int) -> CollectSettings:
    """Those of the collector: the site's own pages may announce the signals that there are handlers for."""
    origins = [f"http://{name}:{port}" for name in (HOST, "localhost")]
    doors: Any = {KEY: {"origins": origins, "signals": [catalogue[one].name for one in ANNOUNCED]}}
    return CollectSettings(
        **place.settings, source="site", collect_sites=doors, collect_anonymous="daily", collect_port=port
    )


@contextmanager
def _workers(place: Place) -> Iterator[None]:
    environment = {f"OYEZ_{name.upper()}": value for name, value in place.settings.items()}
    with ended_together() as children:
        log = place.work.folder / "listen.log"
        children.append(Child("oyez listen", [OYEZ, "listen", "--processes", "1"], log, environment))
        yield


def _serve(app: Starlette, settings: CollectSettings, taken: socket.socket, say: Say) -> None:
    """Within the same bounds as the collector alone."""
    say(f"http://{HOST}:{taken.getsockname()[1]}, with a report at /report; Ctrl-C ends it")
    server(app, settings).run([taken])
