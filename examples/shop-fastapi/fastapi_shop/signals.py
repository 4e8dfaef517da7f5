"""What happens in the shop. The key of each event is the visitor's session, which the middleware has bound."""

from oyez.schemas import Signal


class BasketChanged(Signal, name="basket.changed"):
    """A visitor wants so many of an item; 0: none any more."""

    item: str
    count: int
