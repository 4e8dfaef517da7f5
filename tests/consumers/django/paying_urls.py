"""A page that writes, announces, and may fail then."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import path

from consumers.django.paid import DjangoPaid
from consumers.django.test_transaction import create
from oyez.producers.django import announce


def pay(request: HttpRequest, n: int) -> HttpResponse:
    create(n)
    announce(DjangoPaid(n=n), db="default")
    if "fail" in request.GET:
        raise ValueError("after both")
    return HttpResponse("paid")


urlpatterns = [path("pay/<int:n>", pay)]
