"""What is announced, for Prometheus, as the document says."""

from __future__ import annotations

import re

import pytest
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from oyez.producers import SettingsError
from oyez.producers.metrics import announced
from producers.shop import Ticked, memory_announcer
from support.scraping import DOCUMENT, documented


def measured(registry: CollectorRegistry) -> dict[tuple[str, str, frozenset[str]], float]:
    families = text_string_to_metric_families(generate_latest(registry).decode())
    return {
        (one.name + "_total", one.type, frozenset(one.samples[0].labels)): one.samples[0].value
        for one in families
        if one.name.startswith("oyez_")
    }


def test_the_example_counts_what_was_announced() -> None:
    announcer, _ = memory_announcer()
    found = re.search(r"<!-- run: announced -->\n```python\n(.*?)```", DOCUMENT, re.DOTALL)
    assert found
    before = set(REGISTRY._collector_to_names)
    exec(found[1], {"announcer": announcer})
    (collector,) = set(REGISTRY._collector_to_names) - before
    for n in range(5):
        announcer.announce(Ticked())
        assert [value for (name, _, _), value in measured(REGISTRY).items() if "announced" in name] == [n + 1]
    assert set(measured(REGISTRY)) == documented("announcers")
    REGISTRY.unregister(collector)
    announcer.close()


def test_announcers_of_one_source_are_added_up() -> None:
    (first, _), (second, _), (other, _) = memory_announcer(), memory_announcer(), memory_announcer(source="b")
    registry = CollectorRegistry()
    registry.register(announced(first, second, other))
    for announcer in (first, second, second, other):
        announcer.announce(Ticked())
    text = generate_latest(registry).decode()
    assert 'oyez_announced_events_total{source="web-1"} 3.0' in text
    assert 'oyez_announced_events_total{source="b"} 1.0' in text
    for announcer in (first, second, other):
        announcer.close()


def test_what_did_not_arrive_is_counted() -> None:
    announcer, _ = memory_announcer(on_undelivered=lambda _event, _reason: None)
    announcer._failures.add(b"{}", "broken")
    registry = CollectorRegistry()
    registry.register(announced(announcer))
    assert 'oyez_undelivered_events_total{source="web-1"} 1.0' in generate_latest(registry).decode()
    announcer._failures.forget()
    announcer.close()


def test_without_the_client_there_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "prometheus_client.registry", None)
    with pytest.raises(SettingsError, match=r"pip install 'oyez\[metrics\]'"):
        announced()
