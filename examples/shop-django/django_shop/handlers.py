"""What is done with it, exactly once."""

from django.db.models import F

from oyez.consumers import HandlerAnnouncer, Handlers
from oyez.consumers.django import DjangoTransaction

from .models import Item, Order
from .signals import OrderPacked, OrderPlaced

on = Handlers("djangoshop")


@on(OrderPlaced)
def pack(placed: OrderPlaced, db: DjangoTransaction, announcer: HandlerAnnouncer) -> None:
    """Take it from the stock, if there is enough."""
    order = Order.objects.select_related("item").get(pk=placed.order)
    taken = Item.objects.filter(pk=order.item.pk, stock__gte=order.count).update(
        stock=F("stock") - order.count
    )
    order.state = Order.State.PACKED if taken else Order.State.SHORT
    order.save()
    if taken:
        announcer.announce(OrderPacked(order=placed.order))


@on(OrderPacked)
def send(packed: OrderPacked) -> None:
    """Nobody has to wait for the parcel service."""
    print("sent", packed.order)
