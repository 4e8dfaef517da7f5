"""A setting that is misspelt, and a file that is no TOML in UTF-8, are told."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from oyez.consumers import ListenSettings
from oyez.consumers.dashboard.settings import DashboardSettings
from oyez.consumers.mail.settings import mail_settings
from oyez.consumers.reports.settings_report import problems_of, setting_states
from oyez.producers import Settings, SettingsError
from oyez.producers.collector.settings import CollectSettings


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """oyez.toml in an empty working directory, and no OYEZ_ variables."""
    for name in [name for name in os.environ if name.startswith("OYEZ_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "oyez.toml"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('topik = "shop"', "oyez.toml: there is no setting topik; did you mean topic?"),
        ('OYEZ_TOPIC = "shop"', "there is no setting OYEZ_TOPIC; did you mean topic?"),
        ('Topic = "shop"', "there is no setting Topic; did you mean topic?"),
        ("[kafka-options]\na = 1", "there is no setting kafka-options; did you mean kafka_options?"),
        ("dead_day = 3", "there is no setting dead_day; did you mean dead_days?"),
        ("max_attempt = 3", "there is no setting max_attempt; did you mean max_attempts?"),
        ('database_schema = "s"', "there is no setting database_schema"),
        (
            '[oyez]\ntopic = "shop"',
            "there is no setting oyez; settings stand at the top of the file, in no table",
        ),
        ("wholly_different = 1", "there is no setting wholly_different"),
    ],
)
@pytest.mark.parametrize("kind", [Settings, ListenSettings])
def test_a_misspelt_one_in_the_file_is_an_error(
    line: str, words: str, kind: type[Settings], file: Path
) -> None:
    file.write_text(f"{line}\n")
    with pytest.raises(SettingsError) as caught:
        kind()
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_one_file_is_for_announcing_and_for_listening_processes(file: Path) -> None:
    file.write_text('topic = "shop"\nbatch = 7\nmail_host = "mail"\nschema = "events"\n')
    assert (Settings().topic, ListenSettings().batch, Settings().database_schema) == ("shop", 7, "events")


@pytest.mark.parametrize("kind", [Settings, ListenSettings])
def test_a_misspelt_argument_is_an_error(kind: type[Settings]) -> None:
    with pytest.raises(
        SettingsError, match=rf"^{kind.__name__}\(…\): there is no setting topik; did you mean topic"
    ):
        kind(topik="shop")
    with pytest.raises(SettingsError, match="there is no setting batch"):
        Settings(batch=7)
    assert Settings(_env_prefix="OYEZ_", schema="events").database_schema == "events"


def test_an_applications_own_class_may_have_more() -> None:
    class Own(Settings):
        own: str = "own"

    assert Own(own="mine").own == "mine"
    assert mail_settings(Own(own="mine", topic="shop")).topic == "shop"


@pytest.mark.parametrize("kind", [Settings, ListenSettings])
def test_a_misspelt_variable_is_told_once(
    kind: type[Settings], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Once in a process: so each case has names of its own."""
    suffix = kind.__name__.upper()
    monkeypatch.setenv(f"OYEZ_TOPIK_{suffix}", "shop")
    monkeypatch.setenv(f"oyez_max_attempts{suffix[0]}", "7")
    kind()
    kind()
    said = [record.getMessage() for record in caplog.records if record.name == "oyez.settings"]
    assert said == [
        f"OYEZ_MAX_ATTEMPTS{suffix[0]} is no setting of Oyez's, and does nothing; did you mean OYEZ_MAX_ATTEMPTS?",
        f"OYEZ_TOPIK_{suffix} is no setting of Oyez's, and does nothing",
    ]
    assert {record.levelno for record in caplog.records} == {logging.WARNING}


@pytest.mark.parametrize("kind", [Settings, ListenSettings])
def test_variables_that_are_not_meant_for_it_are_left_alone(
    kind: type[Settings], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What Kubernetes sets for services called oyez and oyez-web, and what is read elsewhere."""
    for name, value in {
        "OYEZ_SERVICE_HOST": "10.0.0.1",
        "OYEZ_SERVICE_PORT": "80",
        "OYEZ_SERVICE_PORT_HTTP": "80",
        "OYEZ_PORT": "tcp://10.0.0.1:80",
        "OYEZ_PORT_80_TCP": "tcp://10.0.0.1:80",
        "OYEZ_PORT_80_TCP_ADDR": "10.0.0.1",
        "OYEZ_WEB_SERVICE_HOST": "10.0.0.1",
        "OYEZ_WEB_PORT_80_TCP_PROTO": "tcp",
        "OYEZ_DEBUG": "1",
        "OYEZ_SCHEMA": "events",
        "OYEZ_BATCH": "7",
        "OYEZ_MAIL_HOST": "mail",
    }.items():
        monkeypatch.setenv(name, value)
    assert kind().database_schema == "events"
    assert [record for record in caplog.records if record.name == "oyez.settings"] == []


def test_the_address_of_a_service_is_not_taken_for_a_port(
    file: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Kubernetes sets these for services called oyez-collect, oyez-dashboard and oyez-mail."""
    file.write_text("mail_port = 26\n")
    for name in ("OYEZ_COLLECT_PORT", "OYEZ_DASHBOARD_PORT", "oyez_mail_port"):
        monkeypatch.setenv(name, "tcp://10.0.0.1:80")
    assert (CollectSettings().collect_port, DashboardSettings().dashboard_port) == (8080, 8090)
    assert mail_settings(ListenSettings()).mail_port == 26
    states = {state.name: state for state in setting_states()}
    assert (states["collect_port"].value, states["collect_port"].origin) == (8080, "default")
    assert (states["mail_port"].value, states["mail_port"].origin) == (26, "file")
    assert problems_of(states.values()) == []
    assert [record for record in caplog.records if record.name == "oyez.settings"] == []


def test_the_mark_that_an_editor_puts_before_it_is_no_text(file: Path) -> None:
    file.write_bytes('topic = "shop"\r\nsource = "ü"\r\n'.encode("utf-8-sig"))
    assert (Settings().topic, Settings().source) == ("shop", "ü")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('topic = "shop"'.encode("utf-16"), "oyez.toml is UTF-16; TOML is UTF-8: save it in that encoding"),
        ('topic = "shop"'.encode("utf-32"), "oyez.toml is UTF-32"),
        ('topic = "shop"'.encode("utf-16-le"), "oyez.toml is no text, or in UTF-16"),
        ('\n\nsource = "ü"'.encode("latin-1"), "oyez.toml, line 3: this is not UTF-8"),
        (b"a = " + b"[" * 100_000, "oyez.toml is not valid TOML"),
        (b"a = " + b"1" * 10_000, "oyez.toml is not valid TOML"),
        (b"topic = \n", "oyez.toml is not valid TOML"),
    ],
    ids=["UTF-16", "UTF-32", "UTF-16 without a mark", "Latin-1", "deep", "long", "no TOML"],
)
def test_what_is_no_toml_in_utf_8(content: bytes, words: str, file: Path) -> None:
    file.write_bytes(content)
    with pytest.raises(SettingsError) as caught:
        Settings()
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read(file: Path) -> None:
    file.mkdir()
    with pytest.raises(SettingsError, match=r"^oyez\.toml cannot be read: Is a directory$"):
        Settings()


def test_a_link_to_nothing_is_no_file(file: Path) -> None:
    file.symlink_to("nowhere.toml")
    assert Settings().topic == "oyez.events"


def test_a_path_that_is_set_to_nothing_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """As from `OYEZ_SPOOL: ${SPOOL:-}` in a file for docker compose. It would be the working directory."""
    monkeypatch.setenv("OYEZ_SPOOL", "")
    monkeypatch.setenv("OYEZ_MAIL_CA", "")
    assert (Settings().spool, ListenSettings().mail_ca) == (None, None)
