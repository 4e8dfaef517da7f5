"""The admin pages show what is parked and dead, and do to it what the commands do, for those who may."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.test import Client, override_settings

from consumers.django.failing import DjangoTried, on
from consumers.pipeline import Pipeline, prepare
from oyez.schemas import catalogue
from support.django_project import APPS, in_project

ADMIN = {
    "INSTALLED_APPS": [
        "django.contrib.admin",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "django.contrib.messages",
        *APPS,
    ],
    "MIDDLEWARE": [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
    "TEMPLATES": [
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ]
            },
        }
    ],
    "ROOT_URLCONF": "consumers.django.admin_urls",
    "PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"],
    "OYEZ": {"TRANSPORT": "memory", "APP": "consumers.django.failing:on"},
}
PARKED, DEAD = "/admin/oyez_consumers/parked/", "/admin/oyez_consumers/dead/"


def in_admin(url: str, work: Callable[[Pipeline], object], **said: Any) -> None:
    """Do it in a project with admin pages, and events of which none could be handled."""

    def run() -> None:
        call_command("migrate", verbosity=0)
        pipeline = Pipeline(url, on, signals=catalogue, **said)
        try:
            pipeline.handle(*(DjangoTried(k=f"k{n}", n=n) for n in range(4)))
            work(pipeline)
        finally:
            pipeline.close()

    in_project(url, run, **ADMIN)


def client(*permissions: str, everything: bool = False) -> Client:
    """Somebody of the staff, with these permissions."""
    from django.contrib.auth.models import Permission, User

    user = User.objects.create(username=f"u{User.objects.count()}", is_staff=True, is_superuser=everything)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    made = Client()
    made.force_login(user)
    return made


def page(client: Client, path: str, code: int = 200) -> str:
    response = client.get(path)
    assert response.status_code == code, response.content
    return response.content.decode()


def act(client: Client, path: str, action: str, ids: list[int], **more: str) -> str:
    """Choose rows and an action, and what follows."""
    said = {"action": action, "_selected_action": [str(number) for number in ids], **more}
    response = client.post(path, said, follow=True)
    assert response.status_code == 200
    return response.content.decode()


def test_what_is_parked_is_shown_released_and_discarded(database: str) -> None:
    def work(pipeline: Pipeline) -> None:
        from django.contrib.admin.models import LogEntry

        admin = client(everything=True)
        ids = pipeline.rows("parked", "id")
        shown = page(admin, PARKED)
        assert "4 parked deliveries" in shown
        assert "django.tried" in shown
        one = page(admin, f"{PARKED}{ids[0]}/change/")
        assert "&lt;b&gt;0&lt;/b&gt;" in one
        assert "Save" not in one
        asked = act(admin, PARKED, "release", ids[:2])
        assert "2 of the parked deliveries" in asked
        assert {*pipeline.rows("parked", "due_at")} != {pipeline.clock.now}, "it is only asked"
        before = dict(pipeline.rows("parked", "id", "due_at"))
        assert "2 released." in act(admin, PARKED, "release", ids[:2], confirmed="Release")
        after = dict(pipeline.rows("parked", "id", "due_at"))
        assert [number for number in ids if after[number] != before[number]] == ids[:2]
        assert "2 discarded." in act(admin, PARKED, "discard", ids[2:], confirmed="Discard")
        assert pipeline.rows("parked", "id") == ids[:2]
        assert LogEntry.objects.count() == 4

    in_admin(database, work)


def test_dead_letters_are_shown_retried_and_discarded(database: str) -> None:
    def work(pipeline: Pipeline) -> None:
        admin = client(everything=True)
        ids = pipeline.rows("dead", "id")
        assert "4 dead letters" in page(admin, DEAD)
        assert "3 retried." in act(admin, DEAD, "retry", ids[:3], confirmed="Retry")
        assert len(pipeline.rows("parked", "id")) == 3
        assert "1 discarded." in act(admin, DEAD, "discard", ids[3:], confirmed="Discard")
        assert pipeline.rows("dead", "id") == []
        gone = act(admin, DEAD, "discard", ids[3:], confirmed="Discard")
        assert "discarded." not in gone

    in_admin(database, work, max_attempts=1)


def test_who_may_look_may_not_act(sqlite: str) -> None:
    def work(pipeline: Pipeline) -> None:
        ids = pipeline.rows("parked", "id")
        reader, releaser = client("view_parked"), client("view_parked", "release_parked")
        assert 'value="release"' not in page(reader, PARKED)
        act(reader, PARKED, "release", ids, confirmed="Release")
        act(reader, PARKED, "discard", ids, confirmed="Discard")
        shown = page(releaser, PARKED)
        assert ('value="release"' in shown, 'value="discard"' in shown) == (True, False)
        act(releaser, PARKED, "discard", ids, confirmed="Discard")
        assert pipeline.rows("parked", "id") == ids
        page(client(), PARKED, 403)
        page(reader, f"{PARKED}add/", 403)
        page(reader, f"{PARKED}{ids[0]}/delete/", 403)
        page(reader, DEAD, 403)

    in_admin(sqlite, work)


def test_what_cannot_be_done_is_a_message(sqlite: str) -> None:
    def work(pipeline: Pipeline) -> None:
        from django.test import override_settings

        ids = pipeline.rows("parked", "id")
        with override_settings(OYEZ={"TRANSPORT": "memory", "APP": "nowhere:on"}):
            said = act(client(everything=True), PARKED, "release", ids, confirmed="Release")
        assert "Oyez: there is no module nowhere" in said
        assert pipeline.rows("parked", "id") == ids

    in_admin(sqlite, work)


def test_where_the_tables_are_at_an_address_the_pages_show_and_change_no_others(
    sqlite: str, tmp_path: Path
) -> None:
    """The numbers of rows are those of other deliveries there."""
    elsewhere = f"sqlite:///{tmp_path}/elsewhere.db"

    def work(pipeline: Pipeline) -> None:
        theirs = parked_there(elsewhere)
        admin = client(everything=True)
        ids = theirs.rows("parked", "id")
        assert ids == pipeline.rows("parked", "id")
        with override_settings(OYEZ=ADMIN["OYEZ"] | {"DATABASE": elsewhere}):
            shown = page(admin, PARKED)
            assert (
                "Oyez: settings.OYEZ[&#x27;DATABASE&#x27;] is the address of a database that is not in"
                in shown
            )
            assert "0 parked deliveries" in shown
            act(admin, PARKED, "discard", ids, confirmed="Discard")
            page(admin, f"{PARKED}{ids[0]}/change/", 302)
        assert theirs.rows("parked", "id") == pipeline.rows("parked", "id") == ids
        theirs.close()

    in_admin(sqlite, work)


def test_an_address_of_one_of_djangos_databases_is_that_one(database: str) -> None:
    def work(pipeline: Pipeline) -> None:
        admin = client(everything=True)
        ids = pipeline.rows("parked", "id")
        with override_settings(OYEZ=ADMIN["OYEZ"] | {"DATABASE": database}):
            assert "4 parked deliveries" in page(admin, PARKED)
            assert "4 discarded." in act(admin, PARKED, "discard", ids, confirmed="Discard")
        assert pipeline.rows("parked", "id") == []

    in_admin(database, work)


def parked_there(url: str) -> Pipeline:
    prepare(url)
    made = Pipeline(url, on, signals=catalogue)
    made.handle(*(DjangoTried(k=f"k{n}", n=n) for n in range(4)))
    return made
