"""The shop with Django, run as its README says, with a real server, and visitors with cookies."""

from __future__ import annotations

import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

from oyez.consumers.dev.ports import answers, free_port
from support.django_visitor import Visitor
from support.pages import ROOT, block, shell
from support.spooled import spooled
from support.waiting import eventually

SHOP = ROOT / "examples/shop-django"
VISITORS, ORDERS = 3, 50


def ordering(visitor: Visitor) -> int:
    """Order tea many times, and a cup now and then; how many orders were taken."""
    for n in range(ORDERS):
        answer = visitor.post("/orders", item="cup" if n % 10 == 0 else "tea", count="2")
        assert answer.status_code == 202, answer.text
    return ORDERS


def states(visitor: Visitor) -> list[tuple[str, str]]:
    found: Any = visitor.get("/orders")["orders"]
    return [(one["item__name"], one["state"]) for one in found]


def test_what_visitors_order_is_packed_once(tmp_path: Path) -> None:
    """Though the server's workers come and go: each ends after so many requests."""
    shutil.copytree(SHOP, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__", "*.db"))
    port = free_port()
    commands = block(SHOP / "README.md", "commands").replace(
        "gunicorn ", f"exec gunicorn --preload --bind 127.0.0.1:{port} "
    )
    with shell(commands, tmp_path) as log:
        eventually(lambda: answers(port))
        visitors = [Visitor(port, "/") for _ in range(VISITORS)]
        assert visitors[0].post("/orders", item="elephant", count="1").status_code == 404
        with ThreadPoolExecutor(VISITORS) as pool:
            assert sum(pool.map(ordering, visitors)) == VISITORS * ORDERS
        eventually(
            lambda: not any(state == "open" for one in visitors for _, state in states(one)), every=0.2
        )
        done = [found for one in visitors for found in states(one)]
        packed = len([one for one in done if one[1] == "packed"])
        eventually(lambda: log.read_text().count("sent ") >= packed)  # it has no transaction
        for visitor in visitors:
            visitor.close()
        assert "Autorestarting worker" in log.read_text()
    assert "Traceback" not in log.read_text()
    assert len(done) == VISITORS * ORDERS
    assert [state for item, state in done if item == "cup"].count("packed") == 2, (
        "there were five, two at a time"
    )
    with closing(sqlite3.connect(tmp_path / "shop.db")) as db:
        left = dict(db.execute("SELECT name, stock FROM django_shop_item").fetchall())
        waiting = [
            db.execute(f"SELECT count(*) FROM oyez_{table}").fetchone()
            for table in ("parked", "dead", "outbox")
        ]
    assert left == {"tea": 1_000_000 - 2 * len([one for one in done if one[0] == "tea"]), "cup": 1}
    assert waiting == [(0,)] * 3
    placed = [one for one in spooled(tmp_path / "spool").values() if one["type"] == "order.placed"]
    keys = {one["partitionkey"] for one in placed}
    assert (len(placed), len(keys)) == (VISITORS * ORDERS, VISITORS)
