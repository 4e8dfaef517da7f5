"""An action of the admin pages: asked for, confirmed, done, and told."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.contrib.admin import ModelAdmin, helpers
from django.contrib.admin.models import CHANGE, LogEntry
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from sqlalchemy.exc import SQLAlchemyError

from oyez.producers.database_errors import one_line
from oyez.schemas import OyezError

from ..admin import Tally
from ..run.delivery_actions import Action
from .deliveries import apply

CONFIRMED = "confirmed"


def confirmed(
    page: ModelAdmin[Any], request: HttpRequest, rows: QuerySet[Any], action: Action
) -> HttpResponse | None:
    """A page that asks, or, where that has been answered, None: it is done, and the list says what came of it."""
    if CONFIRMED not in request.POST:
        return _question(page, request, rows, action)
    chosen = list(rows)
    try:
        tally = apply(action, [row.pk for row in chosen])
    except (OyezError, SQLAlchemyError) as error:
        page.message_user(request, f"Oyez: {one_line(error)}", messages.ERROR)
        return None
    said = _said(action, tally)
    LogEntry.objects.log_actions(cast("Any", request.user).pk, chosen, CHANGE, f"Oyez: {action.verb}: {said}")
    page.message_user(request, f"{said}.", messages.WARNING if tally.done < len(chosen) else messages.SUCCESS)
    return None


def _question(
    page: ModelAdmin[Any], request: HttpRequest, rows: QuerySet[Any], action: Action
) -> HttpResponse:
    said = {
        **page.admin_site.each_context(request),
        "title": f"Are you sure? To {action.verb}:",
        "verb": action.verb.capitalize(),
        "opts": page.opts,
        "rows": rows,
        "count": rows.count(),
        "name": request.POST["action"],
        "chosen": request.POST.getlist(helpers.ACTION_CHECKBOX_NAME),
        "checkbox": helpers.ACTION_CHECKBOX_NAME,
        "across": request.POST.get("select_across", "0"),
        "confirmed": CONFIRMED,
        "media": page.media,
    }
    request.current_app = page.admin_site.name
    return TemplateResponse(request, "oyez_consumers/confirm.html", said)


def _said(action: Action, tally: Tally) -> str:
    """The counts that the command prints, as far as there are any."""
    counts = [(said, getattr(tally, field)) for field, said in action.counts.items()]
    return ", ".join(f"{count} {said}" for said, count in counts if count) or "nothing was done"
