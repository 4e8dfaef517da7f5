"""What docs/django.md shows is run as it is written, and reloaded while it is asked."""

from __future__ import annotations

import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import httpx

from oyez.consumers.dev.ports import answers, free_port
from support.django_visitor import Visitor
from support.pages import ROOT, block, plain_environment, shell, written
from support.spooled import spooled
from support.waiting import eventually

PAGE = ROOT / "docs/django.md"
FILES = ("models.py", "signals.py", "views.py", "handlers.py", "tests.py")
ORDERS = 12


def count(folder: Path, what: str = "*") -> int:
    with closing(sqlite3.connect(folder / "db.sqlite3")) as db:
        (found,) = db.execute(f"SELECT count({what}) FROM orders_order").fetchone()
    return int(found)


def test_the_project_runs_and_loses_nothing_when_it_is_reloaded(tmp_path: Path) -> None:
    environment = plain_environment()
    subprocess.run(["sh", "-ec", block(PAGE, "start")], cwd=tmp_path, env=environment, check=True, timeout=60)
    with (tmp_path / "shop/settings.py").open("a") as settings:
        settings.write(block(PAGE, "settings.py"))
    written(PAGE, tmp_path / "orders", *FILES)
    (tmp_path / "shop/urls.py").write_text(block(PAGE, "urls.py"))
    port = free_port()
    commands = block(PAGE, "commands").replace(
        "python manage.py runserver", f"exec python manage.py runserver 127.0.0.1:{port}"
    )
    with shell(commands, tmp_path) as log:
        eventually(lambda: answers(port))
        visitor = Visitor(port, "/orders")
        for n in range(ORDERS):
            if n == ORDERS // 2:
                with (tmp_path / "orders/views.py").open("a") as views:
                    views.write("# changed\n")
            eventually(lambda n=n: _ordered(visitor, f"item {n}"))
        eventually(lambda: "changed, reloading" in log.read_text())
        eventually(lambda: answers(port))
        eventually(lambda: _packed(visitor) == count(tmp_path) >= ORDERS, every=0.2)
        visitor.close()
    assert "Traceback" not in log.read_text()
    announced = [one["data"]["order"] for one in spooled(tmp_path / "spool").values()]
    assert len(announced) == len({*announced}) == count(tmp_path)
    done = subprocess.run(
        ["sh", "-ec", block(PAGE, "test")],
        cwd=tmp_path,
        env=environment,
        check=True,
        timeout=60,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert "stayed busy" not in done.stderr


def _ordered(visitor: Visitor, item: str) -> bool:
    """Whether the server has answered: while it is reloaded it does not, and may have done it nevertheless."""
    try:
        return visitor.post("/orders", item=item).status_code == 200
    except httpx.TransportError:
        return False


def _packed(visitor: Visitor) -> int | None:
    """How many orders are packed; None while the server does not answer."""
    try:
        return int(visitor.get("/orders")["packed"])
    except httpx.TransportError:
        return None
