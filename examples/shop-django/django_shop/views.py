"""The shop's pages: what a visitor does is written, and announced, in one transaction."""

from django.db import transaction
from django.http import HttpRequest, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET, require_http_methods

from oyez.producers.django import announce

from .models import Item, Order
from .signals import OrderPlaced


@require_GET
def front(request: HttpRequest) -> JsonResponse:
    """The prices. Whoever comes for the first time is given a session."""
    if request.session.session_key is None:
        request.session.create()
    get_token(request)
    return JsonResponse(dict(Item.objects.values_list("name", "cents")))


@require_http_methods(["GET", "POST"])
def orders(request: HttpRequest) -> JsonResponse:
    """The visitor's orders, or one more of them."""
    session = request.session.session_key
    if request.method == "POST":
        item = get_object_or_404(Item, name=request.POST.get("item"))
        with transaction.atomic():
            order = Order.objects.create(session=session or "", item=item, count=int(request.POST["count"]))
            announce(OrderPlaced(order=order.pk), db="default")
        return JsonResponse({"order": order.pk}, status=202)
    found = Order.objects.filter(session=session or "").order_by("pk")
    return JsonResponse({"orders": [*found.values("pk", "item__name", "count", "state")]})
