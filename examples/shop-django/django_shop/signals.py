"""What can happen."""

from oyez.schemas import Signal


class OrderPlaced(Signal, name="order.placed", number=1, subject="order"):
    """A visitor has ordered something."""

    order: int


class OrderPacked(Signal, name="order.packed", number=2, requires={OrderPlaced: "order"}):
    """An order is ready to be sent."""

    order: int
