"""Oyez's tables at their revision 0001, and what the admin pages show of them."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import migrations, models
from django.db.migrations.operations.base import Operation

from oyez.consumers.django.upgrading import upgrade

REVISION = "0001"


def _delivery() -> list[tuple[str, Any]]:
    return [
        ("id", models.BigAutoField(primary_key=True, serialize=False)),
        ("app", models.TextField()),
        ("group_name", models.TextField(verbose_name="group")),
        ("handler", models.TextField()),
        ("signal", models.TextField()),
        ("source", models.TextField()),
        ("event_id", models.TextField(verbose_name="event")),
        ("key", models.TextField(null=True)),
        ("subject", models.TextField(null=True)),
        ("wait_signal", models.TextField(null=True, verbose_name="waits for")),
        ("wait_subject", models.TextField(null=True, verbose_name="of")),
        ("attempts", models.IntegerField()),
        ("error", models.TextField(null=True)),
        ("parked_at", models.FloatField()),
        ("value", models.BinaryField(null=True)),
    ]


class Migration(migrations.Migration):
    """Not atomic: Oyez makes its tables in a transaction of its own."""

    initial = True
    atomic = False
    dependencies: ClassVar[list[tuple[str, str]]] = []
    operations: ClassVar[list[Operation]] = [
        migrations.RunPython(upgrade, migrations.RunPython.noop),
        migrations.CreateModel(
            name="Parked",
            fields=[*_delivery(), ("due_at", models.FloatField(null=True))],
            options={
                "verbose_name": "parked delivery",
                "verbose_name_plural": "parked deliveries",
                "db_table": "oyez_parked",
                "managed": False,
                "default_permissions": ("view",),
                "permissions": (
                    ("release_parked", "Can release parked deliveries"),
                    ("discard_parked", "Can discard parked deliveries"),
                ),
            },
        ),
        migrations.CreateModel(
            name="Dead",
            fields=[*_delivery(), ("reason", models.TextField()), ("died_at", models.FloatField())],
            options={
                "verbose_name": "dead letter",
                "verbose_name_plural": "dead letters",
                "db_table": "oyez_dead",
                "managed": False,
                "default_permissions": ("view",),
                "permissions": (
                    ("retry_dead", "Can retry dead letters"),
                    ("discard_dead", "Can discard dead letters"),
                ),
            },
        ),
    ]
