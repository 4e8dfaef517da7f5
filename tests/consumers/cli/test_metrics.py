"""`--metrics` and `--log-format` as a user meets them."""

from __future__ import annotations

import json
import signal
import socket
import sys
from pathlib import Path

import pytest

from consumers.cli.running import APPS, Shop, one_line
from support.waiting import eventually


def test_without_the_extra(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "without").mkdir()
    (tmp_path / "without" / "prometheus_client.py").write_text(
        "raise ModuleNotFoundError(\"No module named 'prometheus_client'\", name='prometheus_client')"
    )
    paths = f"{tmp_path / 'without'}:{APPS}"
    done = shop.run("listen", "--metrics", "0", PYTHONPATH=paths)
    one_line(done, 2, "--metrics", "prometheus-client", "pip install 'oyez[metrics]'")
    one_line(shop.run("listen", PYTHONPATH=paths), 1, "oyez db upgrade")


def test_a_port_in_use(shop: Shop) -> None:
    shop.print("db", "upgrade")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = shop.run("--quiet", "listen", "--metrics", str(port))
    one_line(done, 1, f"127.0.0.1 port {port}", "choose another")


@pytest.mark.parametrize("host", ["no.such.host.invalid", "192.0.2.1"])
def test_an_address_that_is_not_here(shop: Shop, host: str) -> None:
    shop.print("db", "upgrade")
    done = shop.run("--quiet", "listen", "--metrics", "0", "--metrics-host", host)
    one_line(done, 1, f"{host} port 0")


@pytest.mark.parametrize("given", ["-1", "65536", "many"])
def test_no_port(shop: Shop, given: str) -> None:
    one_line(shop.run("listen", "--metrics", given), 2, "--metrics")
    one_line(shop.run("listen", OYEZ_METRICS=given), 2, "OYEZ_METRICS")


def test_the_applications_own_metrics_are_exported_too(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(
        "from prometheus_client import Counter\n"
        "from shop import on\n"
        "Counter('shop_orders', 'Orders.').inc(0)\n"
    )
    shop.print("db", "upgrade")
    with shop.running("--app", "own:on", "listen", "cli.ticked", "--metrics", "0") as listening:
        said = eventually(lambda: listening.said() if "metrics: http://" in listening.said() else "")
        url = said.split("metrics: ")[1].split()[0]
        fetched = f"import urllib.request; print(urllib.request.urlopen('{url}').read().decode())"
        text = eventually(lambda: _run(fetched))
        assert "shop_orders_total 0.0" in text
        assert listening.end(signal.SIGTERM) == 0


def test_the_lag_of_a_spool_is_in_bytes(spooled_shop: Shop) -> None:
    spooled_shop.print("db", "upgrade")
    spooled_shop.print("announce", "cli.ticked", "-d", "{}")
    with spooled_shop.running("listen", "cli.ticked", "--metrics", "0") as listening:
        said = eventually(lambda: listening.said() if "metrics: http://" in listening.said() else "")
        url = said.split("metrics: ")[1].split()[0]
        fetched = f"import urllib.request; print(urllib.request.urlopen('{url}').read().decode())"
        text = eventually(lambda: found if "oyez_lag_bytes{" in (found := _run(fetched)) else "")
        assert "oyez_lag_records{" not in text
        assert listening.end(signal.SIGTERM) == 0


def _run(code: str) -> str:
    import subprocess

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    return done.stdout


def test_a_log_of_json(shop: Shop) -> None:
    shop.print("db", "upgrade")
    with shop.running("--log-format", "json", "listen", "cli.ticked") as listening:
        eventually(lambda: "worker_started" in listening.said())
        assert listening.end(signal.SIGTERM) == 0
        lines = [json.loads(line) for line in listening.said().splitlines() if line != "imported"]
    happened = [line["happened"] for line in lines if "happened" in line]
    assert happened == ["worker_started", "worker_stopped"]
    (stopped,) = [line for line in lines if line.get("happened") == "worker_stopped"]
    assert (stopped["group"], stopped["handled"], stopped["level"]) == ("clishop.cli.ticked", 0, "info")
    assert {"at", "logger", "process", "message"} <= set(stopped)


@pytest.mark.parametrize("where", ["flag", "environment", "file"])
def test_the_format_is_a_setting_like_others(shop: Shop, where: str) -> None:
    shop.print("db", "upgrade")
    flags = ["--log-format", "json"] if where == "flag" else []
    said = {"OYEZ_LOG_FORMAT": "json"} if where == "environment" else {}
    if where == "file":
        (shop.folder / "oyez.toml").write_text('log_format = "json"\n')
    done = shop.run("listen", *flags, OYEZ_KAFKA="127.0.0.1:1", **said)
    (last,) = [json.loads(line) for line in done.stderr.splitlines() if line != "imported"]
    assert (last["level"], done.returncode) == ("error", 5)
    assert "Kafka at 127.0.0.1:1" in last["message"]


def test_no_format(shop: Shop) -> None:
    one_line(shop.run("listen", "--log-format", "yaml"), 2, "log_format")
    one_line(shop.run("listen", OYEZ_LOG_FORMAT="yaml"), 2, "OYEZ_LOG_FORMAT")
