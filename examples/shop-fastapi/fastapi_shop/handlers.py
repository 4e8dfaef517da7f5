"""What is done with the shop's events, each in the transaction that marks it as handled."""

from sqlalchemy import delete, insert
from sqlalchemy.orm import Session

from oyez.consumers import Handlers
from oyez.schemas import Event

from .baskets import baskets
from .signals import BasketChanged

on = Handlers("shop")


@on(BasketChanged)
def change(changed: Event[BasketChanged], db: Session) -> None:
    """In the order of the visitor's session: the last change of an item counts."""
    item, count = changed.data.item, changed.data.count
    db.execute(delete(baskets).where(baskets.c.session == changed.key, baskets.c.item == item))
    if count > 0:
        db.execute(insert(baskets).values(session=changed.key, item=item, count=count))
