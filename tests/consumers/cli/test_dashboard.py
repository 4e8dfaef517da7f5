"""`oyez dashboard`, as a process."""

from __future__ import annotations

import re
import signal
from dataclasses import replace

import httpx
import pytest

from consumers.cli.running import Shop, one_line
from support.waiting import eventually


def test_it_is_served_under_the_path_of_a_proxy(spooled_shop: Shop) -> None:
    shop = replace(spooled_shop, settings={**spooled_shop.settings, "OYEZ_DASHBOARD_PATH": "/inside/oyez"})
    shop.print("db", "upgrade")
    with shop.running("dashboard", "--port", "0", "--act") as running:
        (at,) = eventually(lambda: re.findall(r"(http://\S+)/inside/oyez", running.said()))
        with httpx.Client(base_url=at, timeout=60) as there:
            shown = there.get("/parked").text
            assert "nothing is parked" in shown
            assert 'href="/inside/oyez/parked" aria-current="page"' in shown
            (style,) = re.findall(r'href="/inside/oyez(/static/[^"]+\.css)"', shown)
            assert there.get(style).status_code == 200
            moved = there.post(
                "/dead/retry", data={"key": "x"}, headers={"Sec-Fetch-Site": "same-origin", "Origin": at}
            )
            assert moved.headers["location"].startswith("/inside/oyez/operations/")
            assert there.get("/", headers={"Host": "evil.example"}).status_code == 421
        assert running.end(signal.SIGTERM) == 0


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"OYEZ_DASHBOARD_HOST": "0.0.0.0"}, ["OYEZ_DASHBOARD_PASSWORD", "127.0.0.1"]),
        ({"OYEZ_DASHBOARD_PROXIES": '["127.0.0.1"]'}, ["OYEZ_DASHBOARD_PASSWORD", "OYEZ_DASHBOARD_PROXIES"]),
        ({"OYEZ_DASHBOARD_HOSTS": '["shop.example"]'}, ["OYEZ_DASHBOARD_PASSWORD", "shop.example"]),
        ({"OYEZ_DASHBOARD_PASSWORD": "short"}, ["dashboard_password", "12"]),
        ({"OYEZ_DASHBOARD_PATH": "oyez/"}, ["dashboard_path"]),
        ({"OYEZ_DASHBOARD_HOSTS": "a"}, ["OYEZ_DASHBOARD_HOSTS is not JSON"]),
        ({"OYEZ_DASHBOARD_PROXIES": '["nginx"]'}, ["dashboard_proxies", "nginx"]),
    ],
)
def test_a_wrong_setting_is_told_in_one_line(
    settings: dict[str, str], words: list[str], spooled_shop: Shop
) -> None:
    done = spooled_shop.run("dashboard", "--port", "0", **settings)
    one_line(done, 2, *words)
    assert "short" not in done.stderr.replace("shorter", "")
