"""Oyez's tables at their revision 0005, which has scheduled events."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations
from django.db.migrations.operations.base import Operation

from oyez.consumers.django.upgrading import upgrade

REVISION = "0005"


class Migration(migrations.Migration):
    """Not atomic: Oyez makes its tables in a transaction of its own."""

    atomic = False
    dependencies: ClassVar[list[tuple[str, str]]] = [("oyez_consumers", "0004_operations")]
    operations: ClassVar[list[Operation]] = [migrations.RunPython(upgrade, migrations.RunPython.noop)]
