"""`oyez handlers`."""

from __future__ import annotations

from oyez.schemas import catalogue
from oyez.schemas.declaration import Declaration

from ...core.printable import printable
from ...handler_files import BrokenFile, Loaded
from ...handlers.application import Application
from ...reports.catalogue import HandlerRow, handler_row
from ...settings import ListenSettings
from ..common import output
from ..common.application import loaded_of
from ..common.bundles import taking
from ..common.errors import CheckFailed
from ..common.options import Json, settings_by

COLUMNS = (
    output.Column("signal", lambda row: row.signal, whole=True),
    output.Column("number", lambda row: row.number, wide=True),
    output.Column("handler", lambda row: row.handler, whole=True),
    output.Column("group", lambda row: row.group, whole=True),
    output.Column("order", lambda row: row.order),
    output.Column(
        "requires", lambda row: [f"{name} ({field})" for name, field in (row.requires or {}).items()]
    ),
    output.Column("completes", lambda row: None if row.completes is None else ("no", "yes")[row.completes]),
    output.Column("retry", lambda row: row.retry),
    output.Column("lanes", lambda row: row.concurrency),
    output.Column("timeout", lambda row: row.timeout),
    output.Column("file", lambda row: row.file, wide=True),
    output.Column("broken", lambda row: row.broken),
)


@taking(settings_by("app"))
def handlers(
    *,
    as_json: Json = False,
    settings: ListenSettings,
) -> None:
    """List the handlers by signal, in the order in which they run: decorated ones, then event files. Exit code 3
    if an event file is broken."""
    loaded = loaded_of(settings)
    rows = _rows(loaded)
    if as_json:
        output.json_array(output.as_dict(row) for row in rows)
    else:
        output.table(rows, COLUMNS, empty=f"{loaded.handlers.app} has no handlers")
    if loaded.broken:
        names = ", ".join(printable(one.file.name) for one in loaded.broken)
        raise CheckFailed(f"broken event files: {names}")
    Application(loaded.handlers)


def _rows(loaded: Loaded) -> list[HandlerRow]:
    rows = [handler_row(one) for one in loaded.handlers] + [_broken(one) for one in loaded.broken]
    order = {one.name: at for at, one in enumerate(catalogue)}
    return sorted(rows, key=lambda row: order.get(row.signal or "", len(order)))


def _broken(one: BrokenFile) -> HandlerRow:
    signal: Declaration | None = one.signal
    return HandlerRow(
        signal=None if signal is None else signal.name,
        number=None if signal is None else signal.number,
        handler=one.file.name,
        group=None,
        order=None,
        requires=None,
        completes=None,
        retry=None,
        concurrency=None,
        timeout=None,
        file=str(one.file),
        broken=one.reason,
    )
