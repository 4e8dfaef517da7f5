"""Settings: their sources, their order, and what is said about a wrong one."""

from pathlib import Path

import pytest

from oyez.producers import Announcer, MemoryTransport, Settings, SettingsError
from oyez.producers.lookup import transport_from
from oyez.producers.memory import shared_broker
from producers.shop import Ticked, known


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory and no OYEZ_ variables."""
    import os

    for name in [name for name in os.environ if name.startswith("OYEZ_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_defaults() -> None:
    import socket

    settings = Settings()
    assert (settings.transport, settings.kafka, settings.topic) == ("spool", "127.0.0.1:9092", "oyez.events")
    assert settings.source == socket.gethostname()
    assert (settings.announce_timeout, settings.flush_timeout, settings.database) == (
        5.0,
        10.0,
        "sqlite:///oyez.db",
    )


def test_a_broker_that_is_named_is_announced_to_unless_told_otherwise(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Settings(kafka="here:1").transport == "kafka"
    assert Settings(kafka="here:1", transport="memory").transport == "memory"
    (place / "oyez.toml").write_text('kafka = "here:1"\n')
    assert Settings().transport == "kafka"
    monkeypatch.setenv("OYEZ_TRANSPORT", "spool")
    assert Settings().transport == "spool"


def test_argument_then_environment_then_file_then_default(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "oyez.toml").write_text('topic = "file"\nsource = "file"\nkafka = "file:1"\n')
    monkeypatch.setenv("OYEZ_SOURCE", "environment")
    monkeypatch.setenv("OYEZ_TOPIC", "environment")
    settings = Settings(topic="argument")
    assert (settings.topic, settings.source, settings.kafka) == ("argument", "environment", "file:1")
    assert settings.transport == "kafka"


def test_kafka_options_from_the_environment_and_with_dotted_names_in_toml(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "oyez.toml").write_text('[kafka_options]\nsecurity.protocol = "SSL"\n"linger.ms" = 5\n')
    assert Settings().kafka_options == {"security.protocol": "SSL", "linger.ms": 5}
    monkeypatch.setenv("OYEZ_KAFKA_OPTIONS", '{"linger.ms": 7}')
    assert Settings().kafka_options["linger.ms"] == 7


def test_a_wrong_value_is_named_with_its_source(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match=r"^settings: topic: .* \(from the argument topic\)$"):
        Settings(topic="no spaces")
    monkeypatch.setenv("OYEZ_ANNOUNCE_TIMEOUT", "soon")
    with pytest.raises(SettingsError, match=r"announce_timeout: .*number.* \(from OYEZ_ANNOUNCE_TIMEOUT\)"):
        Settings()
    monkeypatch.delenv("OYEZ_ANNOUNCE_TIMEOUT")
    (place / "oyez.toml").write_text("flush_timeout = -1\n")
    with pytest.raises(SettingsError, match=r"flush_timeout: .* \(from oyez\.toml\)"):
        Settings()


def test_text_that_is_no_json_or_no_toml(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OYEZ_KAFKA_OPTIONS", '{"sasl.password": "secret')
    with pytest.raises(SettingsError, match="OYEZ_KAFKA_OPTIONS is not JSON") as caught:
        Settings()
    assert str(caught.value).endswith("""; write it such as {"compression.type": "lz4"}""")
    assert "secret" not in str(caught.value)
    monkeypatch.delenv("OYEZ_KAFKA_OPTIONS")
    (place / "oyez.toml").write_text("topic = \n")
    with pytest.raises(SettingsError, match=r"oyez\.toml is not valid TOML") as caught:
        Settings()
    assert "\n" not in str(caught.value)


def test_an_announcer_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OYEZ_TRANSPORT", "memory")
    monkeypatch.setenv("OYEZ_TOPIC", "from.settings")
    with Announcer.from_settings(catalogue=known, source="mine") as announcer:
        announcer.announce(Ticked(), key="k")
    ends = [shared_broker().end("from.settings", partition) for partition in range(4)]
    assert sum(ends) == 1


def test_transports_by_name() -> None:
    assert isinstance(transport_from(Settings(transport="memory")), MemoryTransport)
    with pytest.raises(
        SettingsError, match=r"transport 'smoke' \(OYEZ_TRANSPORT\) is unknown; known: .*kafka, memory"
    ):
        transport_from(Settings(transport="smoke"))
