"""The shop with FastAPI, run as its README says, with a real server, and visitors with cookies."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx

from oyez.consumers.dev.ports import answers, free_port
from support.pages import ROOT, block, shell
from support.spooled import spooled
from support.waiting import eventually

SHOP = ROOT / "examples/shop-fastapi"

ASKED = [("tea", 1), ("cup", 1), ("tea", 7), ("tea", 3)]


def basket(visitor: httpx.Client) -> Any:
    return visitor.get("/basket").json()


def test_visitors_fill_their_baskets(tmp_path: Path) -> None:
    shutil.copytree(SHOP, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    port = free_port()
    commands = block(SHOP / "README.md", "commands").replace("uvicorn ", f"exec uvicorn --port {port} ")
    with shell(commands, tmp_path) as log:
        eventually(lambda: answers(port))
        visitors = [httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) for _ in range(3)]
        ids = []
        for visitor in visitors:
            assert visitor.get("/").json()["tea"] == 450
            ids += [visitor.put(f"/basket/{item}?count={n}").json()["id"] for item, n in ASKED]
        assert visitors[0].put("/basket/elephant?count=1").status_code == 404
        ids.append(visitors[1].delete("/basket/tea").json()["id"])
        ids.append(visitors[1].put("/basket/cup?count=2").json()["id"])
        assert spooled(tmp_path / "spool").keys() == set(ids)
        usual = {"items": {"cup": 1, "tea": 3}, "cents": 2550}
        changed = {"items": {"cup": 2}, "cents": 2400}
        eventually(lambda: [basket(one) for one in visitors] == [usual, changed, usual], every=0.1)
        keys = {one["partitionkey"] for one in spooled(tmp_path / "spool").values()}
        assert keys == {one.cookies["visitor"] for one in visitors}
        assert basket(httpx.Client(base_url=visitors[0].base_url)) == {"items": {}, "cents": 0}
        for visitor in visitors:
            visitor.close()
    assert "Traceback" not in log.read_text()
    with closing(sqlite3.connect(tmp_path / "oyez.db")) as db:
        left = [
            db.execute(f"SELECT count(*) FROM {table}").fetchone() for table in ("oyez_dead", "oyez_parked")
        ]
    assert left == [(0,), (0,)]
