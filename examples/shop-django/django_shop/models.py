"""What the shop keeps."""

from django.db import models


class Item(models.Model):
    """What can be bought."""

    name = models.CharField(max_length=50, unique=True)
    cents = models.PositiveIntegerField()
    stock = models.IntegerField(default=0)

    def __str__(self) -> str:
        return self.name


class Order(models.Model):
    """What a visitor has ordered. Its state is the handlers'."""

    class State(models.TextChoices):
        OPEN = "open"
        PACKED = "packed"
        SHORT = "short", "out of stock"

    session = models.CharField(max_length=40, db_index=True)
    item = models.ForeignKey(Item, models.PROTECT)
    count = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)

    def __str__(self) -> str:
        return f"{self.count} {self.item}"
