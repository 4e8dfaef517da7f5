"""Oyez's tables at their revision 0006, which finds what has expired by its event."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations
from django.db.migrations.operations.base import Operation

from oyez.consumers.django.upgrading import upgrade

REVISION = "0006"


class Migration(migrations.Migration):
    """Not atomic: Oyez makes its tables in a transaction of its own."""

    atomic = False
    dependencies: ClassVar[list[tuple[str, str]]] = [("oyez_consumers", "0005_scheduled")]
    operations: ClassVar[list[Operation]] = [migrations.RunPython(upgrade, migrations.RunPython.noop)]
