"""`oyez collect` and `oyez dashboard` have heartbeats too: an image's HEALTHCHECK asks whatever it runs."""

from __future__ import annotations

import signal
from dataclasses import replace

import pytest

from consumers.cli.running import Shop
from support.waiting import eventually


@pytest.mark.parametrize("command", ["collect", "dashboard"])
def test_it_is_healthy_while_it_answers(command: str, spooled_shop: Shop) -> None:
    settings = {**spooled_shop.settings, "OYEZ_HEALTH": str(spooled_shop.folder / "health")}
    shop = replace(spooled_shop, settings=settings)
    shop.print("db", "upgrade")
    with shop.running(command, "--port", "0") as running:
        eventually(lambda: shop.run("healthy").stdout == "healthy\n", 60)
        assert "http://" in running.said()
        assert running.end(signal.SIGTERM) == 0
    done = shop.run("healthy")
    assert (done.returncode, done.stdout.partition(":")[0]) == (1, "nothing of Oyez runs here")
