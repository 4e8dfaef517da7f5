"""The dashboard by itself: on this machine, for reading; whoever else may connect has to know the password."""

from __future__ import annotations

import base64

import httpx
import pytest

from consumers.dashboard.dashboard_server import served as answering
from consumers.dashboard.visiting import Visitor, problem
from consumers.pipeline import Placed, known
from oyez.consumers import Application, Handlers
from oyez.consumers.dashboard.serving import served
from oyez.consumers.dashboard.settings import DashboardSettings
from oyez.producers import SettingsError

PASSWORD = "correct horse battery"
on = Handlers("shop")


@on(Placed)
def place(_event: Placed) -> None:
    pass


def client(url: str, *, acts: bool = False, **said: object) -> Visitor:
    settings = DashboardSettings(database=url, transport="memory", **said)
    return Visitor(served(Application(on, known), settings, acts=acts))


def basic(name: str, password: str) -> dict[str, str]:
    said = base64.b64encode(f"{name}:{password}".encode()).decode()
    return {"Authorization": f"Basic {said}"}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        (basic("ada", PASSWORD), 200),
        (basic("", PASSWORD), 200),
        ({"Authorization": f"Bearer {PASSWORD}"}, 200),
        (basic("ada", "wrong"), 401),
        (basic("ada", f"{PASSWORD} "), 401),
        ({"Authorization": "Basic !"}, 401),
        ({"Authorization": "Basic /w=="}, 401),
        ({"Authorization": "Bearer"}, 401),
    ],
)
def test_a_password_is_asked_for(pipeline_sqlite: str, headers: dict[str, str], status: int) -> None:
    response = client(pipeline_sqlite, dashboard_password=PASSWORD).get("/", headers=headers)
    assert response.status_code == status
    assert PASSWORD not in response.text
    if status == 401:
        problem(response, 401, "password")
        assert response.headers["www-authenticate"].startswith("Basic ")


def test_who_has_done_it_is_who_gave_the_name(pipeline_sqlite: str) -> None:
    acting = client(pipeline_sqlite, acts=True, dashboard_password=PASSWORD)
    assert "as ada" in acting.get("/", headers=basic("ada", PASSWORD)).text
    reading = client(pipeline_sqlite, dashboard_password=PASSWORD)
    assert "read-only" in reading.get("/", headers=basic("ada", PASSWORD)).text


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "shop.example"])
def test_where_others_can_connect_a_password_has_to_be_set(pipeline_sqlite: str, host: str) -> None:
    with pytest.raises(SettingsError, match="OYEZ_DASHBOARD_PASSWORD"):
        client(pipeline_sqlite, dashboard_host=host)
    assert (
        client(pipeline_sqlite, dashboard_host=host, dashboard_password=PASSWORD).get("/").status_code == 401
    )


@pytest.mark.parametrize(
    "said",
    [
        {"dashboard_proxies": ["127.0.0.1"]},
        {"dashboard_hosts": ["oyez.example.com"]},
        {"dashboard_hosts": ["localhost", "192.0.2.1"]},
    ],
    ids=str,
)
def test_where_a_proxy_lets_others_connect_a_password_has_to_be_set(
    pipeline_sqlite: str, said: dict[str, object]
) -> None:
    with pytest.raises(SettingsError, match="OYEZ_DASHBOARD_PASSWORD"):
        client(pipeline_sqlite, **said)
    assert client(pipeline_sqlite, dashboard_password=PASSWORD, **said).get("/").status_code == 401


def test_other_names_of_this_machine_need_no_password(pipeline_sqlite: str) -> None:
    said = client(pipeline_sqlite, dashboard_hosts=["LOCALHOST", "oyez.localhost", "127.0.0.2", "::1"])
    assert said.get("/").status_code == 200


def test_who_is_one_too_many_is_told_when_to_come_again(pipeline_sqlite: str) -> None:
    app = served(Application(on, known), DashboardSettings(database=pipeline_sqlite), acts=False)
    with answering(app, most=1) as found:
        refused = httpx.get(f"{found.address}/static/x/none")
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "2")
    assert "too many connections" in refused.text
