"""What docs/collecting.md shows is run as it is written."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import httpx

from oyez.consumers.dev.ports import answers, free_port
from support.pages import ROOT, block, plain_environment, shell, written
from support.spooled import spooled
from support.waiting import eventually

PAGE = ROOT / "docs/collecting.md"
FROM_PAGE = {"Origin": "https://shop.example", "Content-Type": "text/plain"}


def test_what_the_page_shows_collects_and_is_handled(tmp_path: Path) -> None:
    written(PAGE, tmp_path, "visits.py", "oyez.toml")
    port = free_port()
    commands = block(PAGE, "commands").replace("oyez collect --port 8080", f"exec oyez collect --port {port}")
    with shell(commands, tmp_path, {"PYTHONPATH": str(tmp_path)}) as log:
        eventually(lambda: answers(port))
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            view = json.dumps({"signal": "page.viewed", "data": {"url": "/a"}})
            assert client.post("/collect?site=shop", content=view, headers=FROM_PAGE).status_code == 202
            (image,) = re.findall(r'img alt="" src="https://collect.shop.example([^"]+)"', PAGE.read_text())
            asked = image.replace("&amp;", "&")
            assert client.get(asked, headers={"Referer": "https://shop.example/"}).status_code == 200
            batch = [
                {"specversion": "1.0", "type": "order.paid", "source": "/erp", "id": name, "data": data}
                for name, data in (("e1", {"visitor": "a", "order": 1}), ("e2", {"visitor": "a"}))
            ]
            sends = {
                "Authorization": "Bearer secret-of-the-erp",
                "Content-Type": "application/cloudevents-batch+json",
            }
            shown = re.search(r"```json\n(.*?)\n```", PAGE.read_text())
            assert shown
            assert client.post("/events", json=batch, headers=sends).text == shown[1]
    assert "Traceback" not in log.read_text()
    assert len(spooled(tmp_path)) == 3
    done = subprocess.run(
        ["oyez", "sweep"],
        cwd=tmp_path,
        env=plain_environment(PYTHONPATH=str(tmp_path)),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    said = done.stdout + done.stderr
    assert [one in said for one in ("viewed /a", "viewed /", "paid 1")] == [True] * 3
