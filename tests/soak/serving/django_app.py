"""The same with Django, for gunicorn: the whole of a project, in one file."""

from __future__ import annotations

import os
from typing import Any

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path

from integration.rows.scripted_app import Placed

settings.configure(
    SECRET_KEY="s",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["oyez.producers.django"],
    MIDDLEWARE=["oyez.producers.django.middleware.VisitorSession"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "django.db"}},
    OYEZ={"DATABASE": os.environ["OYEZ_DATABASE"], "KEY": "cookie:sid"},
)
django.setup()


def place(_request: Any, n: int) -> HttpResponse:
    from oyez.producers.django import announce

    return HttpResponse(announce(Placed, {"n": n}))


urlpatterns = [path("<int:n>", place)]
app = get_wsgi_application()
