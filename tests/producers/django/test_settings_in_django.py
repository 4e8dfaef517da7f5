"""`settings.OYEZ`: the names of Oyez's settings, checked by Django's checks and where they are used."""

from __future__ import annotations

import os
from inspect import signature
from typing import Any

import pytest
from django.core.checks import run_checks
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import make_url

from oyez.producers import Announcer, SettingsError
from oyez.producers.django import announce, announcer
from oyez.producers.django.databases import _postgresql
from oyez.producers.django.in_transactions import DjangoAnnouncer
from oyez.producers.django.settings import announcing_settings, settings_said
from support.django_project import in_project

OURS = "oyez.producers.django.middleware.VisitorSession"
SESSIONS = "django.contrib.sessions.middleware.SessionMiddleware"
SIGNED = "django.contrib.sessions.backends.signed_cookies"

WRONG: list[tuple[dict[str, Any], str, str]] = [
    (
        {"OYEZ": {"KAFKAA": "k:1"}},
        "oyez.E001",
        "settings.OYEZ: there is no setting kafkaa; did you mean kafka?",
    ),
    ({"OYEZ": {"FLUSH_TIMEOUT": -1}}, "oyez.E001", "(from settings.OYEZ['FLUSH_TIMEOUT'])"),
    ({"OYEZ": {"TRANSPORT": "pigeon"}}, "oyez.E001", "transport 'pigeon' (OYEZ_TRANSPORT) is unknown"),
    ({"OYEZ": [1]}, "oyez.E001", "settings.OYEZ must be a dict"),
    ({"OYEZ": {"DATABASE": "nope"}}, "oyez.E001", "settings.OYEZ['DATABASE'] is 'nope'"),
    ({"OYEZ": {"DATABASE": 7}}, "oyez.E001", "must be an alias"),
    (
        {"OYEZ": {"KEY": "header"}, "MIDDLEWARE": [OURS]},
        "oyez.E002",
        "settings.OYEZ['KEY'] cannot be imported",
    ),
    (
        {"OYEZ": {"KEY": "os.nope"}, "MIDDLEWARE": [OURS]},
        "oyez.E002",
        "settings.OYEZ['KEY'] cannot be imported",
    ),
    ({"OYEZ": {"KEY": 7}, "MIDDLEWARE": [OURS]}, "oyez.E002", "'cookie:NAME'"),
    ({"MIDDLEWARE": [OURS, SESSIONS]}, "oyez.E003", f"put {SESSIONS} before it"),
    ({"MIDDLEWARE": [SESSIONS, OURS], "SESSION_ENGINE": SIGNED}, "oyez.E004", "signed cookies"),
]


def test_what_is_wrong_is_one_line_of_djangos_checks(sqlite: str) -> None:
    def work() -> None:
        assert run_checks(tags=["oyez"]) == []
        for settings, number, words in WRONG:
            with override_settings(**settings):
                (found,) = run_checks(tags=["oyez"])
            assert (found.id, "\n" in found.msg) == (number, False)
            assert words in found.msg

    in_project(sqlite, work)


def test_they_are_used_before_the_environments_and_the_rest_is_said_there(sqlite: str) -> None:
    """Those of listening may stand there too."""

    def work() -> None:
        os.environ |= {"OYEZ_TOPIC": "elsewhere", "OYEZ_SOURCE": "web-7"}
        settings = announcing_settings()
        assert (settings.topic, settings.source, settings.transport) == ("shop.events", "web-7", "memory")
        assert settings.database == sqlite
        assert settings_said()["batch"] == 7

    in_project(sqlite, work, OYEZ={"TRANSPORT": "memory", "TOPIC": "shop.events", "BATCH": 7})


def test_a_process_has_one_announcer_as_the_settings_are(sqlite: str) -> None:
    def work() -> None:
        first = announcer()
        assert isinstance(first, Announcer)
        assert announcer() is first
        with override_settings(OYEZ={"TRANSPORT": "memory", "SOURCE": "other"}):
            assert announcer().source == "other"
        assert announcer().source != "other"
        with override_settings(OYEZ={"TRANSPORT": "pigeon"}), pytest.raises(SettingsError, match="pigeon"):
            announce("x", {})

    in_project(sqlite, work)


def test_without_the_app_it_says_so(sqlite: str) -> None:
    def work() -> None:
        with pytest.raises(
            SettingsError, match=r"oyez.producers.django is not among Django's INSTALLED_APPS"
        ):
            announcer()

    in_project(sqlite, work, INSTALLED_APPS=["support.django_ledger"])


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20)


@given(
    texts,
    texts,
    st.from_regex(r"[A-Za-z0-9_ .%+-]{1,20}", fullmatch=True),
    st.none() | st.integers(1, 65_535),
)
def test_an_address_leads_where_djangos_does(user: str, password: str, name: str, port: int | None) -> None:
    said = {"NAME": name, "USER": user, "PASSWORD": password, "HOST": "db.example", "PORT": port or ""}
    written = _postgresql("default", said | {"OPTIONS": {"sslmode": "require", "pool": True}})
    found = make_url(written.render_as_string(hide_password=False))
    assert (found.username, found.password, found.database) == (user, password, name)
    assert (found.host, found.port, dict(found.query)) == ("db.example", port, {"sslmode": "require"})


def test_the_address_of_a_socket_and_of_a_database_in_memory(sqlite: str) -> None:
    def work() -> None:
        from django.db import connections

        from oyez.producers.django.databases import address_of

        said = connections["default"].settings_dict
        said["NAME"] = "file:memorydb_default?mode=memory&cache=shared"
        found = make_url(address_of("default"))
        said["NAME"] = make_url(sqlite).database
        assert (found.database, dict(found.query)) == (
            "file:memorydb_default",
            {"mode": "memory", "cache": "shared", "uri": "true"},
        )
        socket = {
            "NAME": "shop",
            "USER": "",
            "PASSWORD": "",
            "HOST": "/var/run/pg",
            "PORT": "",
            "OPTIONS": {},
        }
        assert dict(_postgresql("default", socket).query) == {"host": "/var/run/pg"}
        with pytest.raises(SettingsError, match="assume_role"):
            _postgresql("default", socket | {"OPTIONS": {"assume_role": "x"}})

    in_project(sqlite, work)


def test_announce_takes_what_an_announcer_takes() -> None:
    method = signature(DjangoAnnouncer.announce).parameters
    assert {*signature(announce).parameters} == {*method} - {"self"}
