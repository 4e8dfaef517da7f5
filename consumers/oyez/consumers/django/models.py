"""What is parked and what is dead, as Django's models. They can only be read: Oyez's own code writes them."""

from __future__ import annotations

from django.db import models


class Delivery(models.Model):
    """The columns that both tables have, as far as they are shown."""

    id: models.BigAutoField[int, int] = models.BigAutoField(primary_key=True)
    app: models.TextField[str, str] = models.TextField()
    group_name: models.TextField[str, str] = models.TextField("group")
    handler: models.TextField[str, str] = models.TextField()
    signal: models.TextField[str, str] = models.TextField()
    source: models.TextField[str, str] = models.TextField()
    event_id: models.TextField[str, str] = models.TextField("event")
    key: models.TextField[str | None, str | None] = models.TextField(null=True)
    subject: models.TextField[str | None, str | None] = models.TextField(null=True)
    wait_signal: models.TextField[str | None, str | None] = models.TextField("waits for", null=True)
    wait_subject: models.TextField[str | None, str | None] = models.TextField("of", null=True)
    attempts: models.IntegerField[int, int] = models.IntegerField()
    error: models.TextField[str | None, str | None] = models.TextField(null=True)
    parked_at: models.FloatField[float, float] = models.FloatField()
    value: models.BinaryField[bytes | None, bytes | None] = models.BinaryField(null=True)

    class Meta:
        abstract = True
        managed = False

    def __str__(self) -> str:
        return f"{self.handler}: {self.signal} {self.source} {self.event_id}"


class Parked(Delivery):
    """A delivery in the retry table."""

    due_at: models.FloatField[float | None, float | None] = models.FloatField(null=True)

    class Meta:
        managed = False
        db_table = "oyez_parked"
        default_permissions = ("view",)
        permissions = (
            ("release_parked", "Can release parked deliveries"),
            ("discard_parked", "Can discard parked deliveries"),
        )
        verbose_name = "parked delivery"
        verbose_name_plural = "parked deliveries"


class Dead(Delivery):
    """A dead letter."""

    reason: models.TextField[str, str] = models.TextField()
    died_at: models.FloatField[float, float] = models.FloatField()

    class Meta:
        managed = False
        db_table = "oyez_dead"
        default_permissions = ("view",)
        permissions = (
            ("retry_dead", "Can retry dead letters"),
            ("discard_dead", "Can discard dead letters"),
        )
        verbose_name = "dead letter"
        verbose_name_plural = "dead letters"
