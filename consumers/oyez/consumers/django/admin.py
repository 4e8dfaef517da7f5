"""Admin pages for what is parked and what is dead: they show it, and do to it what the commands do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from .columns import moment, written
from .confirmed import confirmed
from .deliveries import DISCARD_DEAD, DISCARD_PARKED, RELEASE, RETRY
from .models import Dead, Delivery, Parked
from .shown import NOT_SHOWN, alias_shown

_WHAT = ("handler", "signal", "key", "subject", "source", "event_id")


if TYPE_CHECKING:
    _Page = admin.ModelAdmin[Any]
else:
    _Page = admin.ModelAdmin


class ReadOnly(_Page):
    """Shows rows of one of Oyez's tables, in the database that has them."""

    list_filter = ("group_name", "handler", "signal")
    search_fields = ("=event_id", "=key", "=subject")
    ordering = ("id",)
    show_full_result_count = False
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The rows of the whole table: applications that share it are told apart by ``app``."""
        alias, rows = alias_shown(), super().get_queryset(request)
        return rows.none() if alias is None else rows.using(alias)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Nothing is shown of another database: the actions would go by the numbers of its rows."""
        if alias_shown() is None:
            self.message_user(request, f"Oyez: {NOT_SHOWN}", messages.ERROR)
        return super().changelist_view(request, extra_context)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def may(self, request: HttpRequest, action: str) -> bool:
        """Whether the user has the permission for one of the actions."""
        return bool(
            cast("Any", request.user).has_perm(f"{self.opts.app_label}.{action}_{self.opts.model_name}")
        )

    def has_discard_permission(self, request: HttpRequest) -> bool:
        return self.may(request, "discard")

    @admin.display(description="parked at", ordering="parked_at")
    def parked(self, delivery: Delivery) -> str:
        return moment(delivery.parked_at)

    @admin.display(description="event")
    def event(self, delivery: Delivery) -> str:
        return written(delivery.value)


@admin.register(Parked)
class ParkedAdmin(ReadOnly):
    """The retry table."""

    list_display = (*_WHAT, "attempts", "wait_signal", "wait_subject", "due", "parked")
    fields = (
        "app",
        "group_name",
        *_WHAT,
        "wait_signal",
        "wait_subject",
        "attempts",
        "due",
        "parked",
        "error",
        "event",
    )
    readonly_fields = fields
    actions = ("release", "discard")

    def has_release_permission(self, request: HttpRequest) -> bool:
        return self.may(request, "release")

    @admin.display(description="due at", ordering="due_at")
    def due(self, delivery: Parked) -> str:
        return moment(delivery.due_at)

    @admin.action(description="Release: make due now", permissions=["release"])
    def release(self, request: HttpRequest, rows: QuerySet[Parked]) -> HttpResponse | None:
        return confirmed(self, request, rows, RELEASE)

    @admin.action(description="Discard: never handle", permissions=["discard"])
    def discard(self, request: HttpRequest, rows: QuerySet[Parked]) -> HttpResponse | None:
        return confirmed(self, request, rows, DISCARD_PARKED)


@admin.register(Dead)
class DeadAdmin(ReadOnly):
    """Dead letters."""

    list_display = (*_WHAT, "attempts", "reason", "died")
    fields = ("app", "group_name", *_WHAT, "reason", "attempts", "parked", "died", "error", "event")
    readonly_fields = fields
    actions = ("retry", "discard")

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return self.may(request, "retry")

    @admin.display(description="died at", ordering="died_at")
    def died(self, delivery: Dead) -> str:
        return moment(delivery.died_at)

    @admin.action(description="Retry: put back where they were", permissions=["retry"])
    def retry(self, request: HttpRequest, rows: QuerySet[Dead]) -> HttpResponse | None:
        return confirmed(self, request, rows, RETRY)

    @admin.action(description="Discard: never handle", permissions=["discard"])
    def discard(self, request: HttpRequest, rows: QuerySet[Dead]) -> HttpResponse | None:
        return confirmed(self, request, rows, DISCARD_DEAD)
